"""Reject at voxy: a firewall says no, with a reset. Do users notice?"""

from lab import Lesson, Scenario, after, during, failed_requests, reject_link, seconds, share_of, stalls

scenario = Scenario(
    question="A firewall on voxy refuses the balancer: does a user have to wait?",
    lesson=Lesson(
        en="A firewall that rejects is kinder than one that drops: nginx hears the no and goes to zero at once. "
        "Look at the stalls, 0, and compare cut-voxy.",
        id="Firewall yang menolak (reject) lebih ramah daripada yang membuang (drop): nginx mendengar penolakan dan "
        "langsung beralih ke zero. Lihat yang tersendat, 0, dan bandingkan dengan cut-voxy.",
    ),
    fault=reject_link("voxy", lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("0 %"),
        during(share_of("voxy"), settled=True).at_most("0 %"),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
