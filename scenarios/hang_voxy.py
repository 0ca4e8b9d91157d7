"""Hang voxy: the process is stopped but its port still accepts. A hang is worse than a death."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, pause, seconds, share_of, stalls

scenario = Scenario(
    question="voxy accepts requests and never answers: how long do users wait?",
    lesson=Lesson(
        en="A dead backend refuses at once; a hanging one keeps every request until proxy_read_timeout. "
        "Look at the stalls: 5 s each by default, 60 s with nginx's own default, hardly any with 2 s and least_conn.",
        id="Backend mati langsung menolak; backend yang macet menahan setiap permintaan sampai proxy_read_timeout. "
        "Lihat yang tersendat: 5 detik di sini, 60 detik bawaan nginx, hampir tidak ada dengan 2 detik + least_conn.",
    ),
    fault=pause("voxy", lasting=seconds(12)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("3 %"),
        during(share_of("voxy"), settled=True).at_most("0 %"),
    ],
    outcomes={"default": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
)
