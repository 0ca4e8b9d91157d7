"""A full disk on akuma: nginx serves on, and its log falls silent. One witness is not enough."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, fill_disk, seconds

scenario = Scenario(
    question="The balancer's log disk is full: what can be proved about the users?",
    lesson=Lesson(
        en="The users felt nothing, but the log lacks their requests. Who judges by the log alone would see a quiet "
        "site and call it well. Two witnesses that disagree prove nothing: INCONCLUSIVE.",
        id="Pengguna tidak merasakan apa-apa, tetapi log kehilangan permintaan mereka. Yang hanya membaca log melihat "
        "situs yang sepi dan menyebutnya sehat. Dua saksi yang berbeda tidak membuktikan apa pun: INCONCLUSIVE.",
    ),
    fault=fill_disk("akuma", lasting=seconds(3)),
    verdict=[during(failed_requests()).at_most("0 %")],
    outcomes=dict.fromkeys(("default", "tuned", "naive"), Outcome.INCONCLUSIVE),
)
