"""Errors from voxy: it answers 503 to everything. To nginx that is an answer like any other."""

from lab import Lesson, Outcome, Scenario, answer_errors, during, failed_requests, seconds

scenario = Scenario(
    question="voxy answers 503 to everything: does nginx ask zero instead?",
    lesson=Lesson(
        en="Not until you say so. An answer is an answer, and half of your users get the 503. "
        "With http_503 in proxy_next_upstream (--config tuned) it is none: look at the failed requests.",
        id="Tidak, sebelum Anda memintanya. Bagi nginx 503 tetap sebuah jawaban, dan separuh pengguna menerimanya. "
        "Dengan http_503 di proxy_next_upstream (--config tuned) tidak lagi: lihat permintaan gagal.",
    ),
    fault=answer_errors("voxy", status=503, lasting=seconds(8)),
    verdict=[during(failed_requests()).at_most("0 %")],
    outcomes={"default": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
    needs_hello=True,
)
