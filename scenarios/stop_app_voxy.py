"""Stop the app on voxy: the machine lives, its port refuses. Do users notice?"""

from lab import Lesson, Scenario, after, during, failed_requests, seconds, share_of, stalls, stop_app

scenario = Scenario(
    question="The app on voxy is stopped with pm2: does a user have to wait?",
    lesson=Lesson(
        en="A closed port refuses at once, so nginx asks zero in the same millisecond. "
        "That is the kindest of all failures: look at the stalls, 0.",
        id="Port yang tertutup langsung menolak, sehingga nginx bertanya kepada zero pada milidetik yang sama. "
        "Inilah kegagalan yang paling ramah: lihat permintaan yang tersendat, 0.",
    ),
    fault=stop_app("voxy", lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("0 %"),
        during(share_of("voxy"), settled=True).at_most("0 %"),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
