"""Double POSTs: who repeats a request that was under way may have it executed twice."""

from lab import Lesson, Outcome, Scenario, answer_slowly, duplicate_posts, during, failed_requests, seconds

scenario = Scenario(
    question="voxy does the work and answers too late: is a POST lost, or done twice?",
    lesson=Lesson(
        en="With non_idempotent no user sees an error, and an order is placed twice. Without it (--config default) "
        "nothing is done twice, and users see 504. No setting heals both: an app must bear a repeated POST.",
        id="Dengan non_idempotent tidak ada galat, tetapi pesanan tercatat dua kali. Tanpa itu (--config default) "
        "tidak ada yang ganda, tetapi pengguna melihat 504. Aplikasilah yang harus tahan terhadap POST berulang.",
    ),
    fault=answer_slowly("voxy", by=seconds(8), lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(duplicate_posts()).at_most(0),
    ],
    config="non_idempotent",
    outcomes=dict.fromkeys(("non_idempotent", "default", "tuned"), Outcome.DEVIATED),
    posts=0.3,
    needs_hello=True,
)
