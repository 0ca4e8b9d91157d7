"""Starve voxy: its app gets 5 % of the CPU. It is up, it is right, and it is late."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, limit_cpu, seconds, stalls

scenario = Scenario(
    question="Somebody else eats voxy's CPU: does round robin notice?",
    lesson=Lesson(
        en="No: voxy answers everything, only late, and round robin goes on sending half. least_conn (--config tuned) "
        "sees its queue. Look at the stalls, and at who served how much.",
        id="Tidak: voxy menjawab semuanya, hanya terlambat, dan round robin terus mengirim separuh. least_conn "
        "(--config tuned) melihat antreannya. Lihat yang tersendat, dan siapa melayani berapa banyak.",
    ),
    fault=limit_cpu("voxy", percent=5, lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("5 %"),
    ],
    outcomes={"default": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
)
