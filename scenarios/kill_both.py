"""Kill both: no backend is left. The outage is longer than the fault."""

from lab import Lesson, Outcome, Scenario, bad_window, during, failed_requests, power_off, seconds

scenario = Scenario(
    question="Both backends lose their power for 5 s: for how long is the site gone?",
    lesson=Lesson(
        en="nginx can hide the loss of one, not of all: users get 502 and 504. And when both are back it goes on: "
        "nginx asks nobody until fail_timeout is over. Look at the bad window beside the 5 s.",
        id="nginx dapat menyembunyikan hilangnya satu backend, bukan semuanya: pengguna menerima 502 dan 504. Setelah "
        "keduanya hidup pun berlanjut: nginx menunggu fail_timeout. Bandingkan jendela buruk dengan 5 detik.",
    ),
    fault=(power_off("voxy", lasting=seconds(5)), power_off("zero", lasting=seconds(5))),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(bad_window()).at_most(seconds(5)),
    ],
    outcomes={"default": Outcome.DEVIATED, "tuned": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
)
