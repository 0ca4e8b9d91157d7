"""Slow voxy: each of its answers takes a second longer. Round robin against least_conn."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, seconds, slow_link, stalls

scenario = Scenario(
    question="voxy takes a second for each answer: how many users feel it?",
    lesson=Lesson(
        en="Nothing fails, so nothing is failed over: round robin sends every second user to the slow one. "
        "least_conn sees that voxy is still busy and asks zero. Look at the stalls.",
        id="Tidak ada yang gagal, jadi tidak ada yang dialihkan: round robin mengirim separuh pengguna ke yang lambat. "
        "least_conn melihat voxy masih sibuk lalu bertanya kepada zero. Lihat yang tersendat.",
    ),
    fault=slow_link("voxy", by=seconds(0.5), lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("5 %"),
    ],
    outcomes={"default": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
    needs_hello=True,
)
