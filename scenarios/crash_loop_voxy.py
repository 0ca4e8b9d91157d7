"""A crash loop on voxy: it dies each time that pm2 has started it. Is it online?"""

from lab import Lesson, Scenario, after, crash_loop, during, failed_requests, seconds, share_of, stalls

scenario = Scenario(
    question="voxy crashes again and again: does nginx keep its users away from it?",
    lesson=Lesson(
        en="Yes: after a failure nginx stays away for fail_timeout and then risks one request, which zero answers if "
        "need be. `pm2 ls` says online all the while, only its count of restarts grows: ask the port, not pm2.",
        id="Ya: setelah satu kegagalan nginx menjauh selama fail_timeout, lalu mencoba satu permintaan, yang dijawab "
        "zero bila perlu. `pm2 ls` terus menulis online, hanya hitungan restart yang naik: tanyai port, bukan pm2.",
    ),
    fault=crash_loop("voxy", lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("0 %"),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
