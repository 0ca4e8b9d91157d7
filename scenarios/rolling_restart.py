"""A rolling restart in a hurry: voxy, and a moment later zero. One was always up, and yet."""

from lab import Lesson, Outcome, Scenario, bad_window, during, failed_requests, restart_app, seconds

scenario = Scenario(
    question="voxy is restarted, then zero, with hardly a pause: is the site always there?",
    lesson=Lesson(
        en="No. voxy is back in a second, but nginx stays away from it for fail_timeout, 10 s; when zero restarts in "
        "that time, nobody is left to ask: 502. Look at the bad window; wait longer than fail_timeout, or drain.",
        id="Tidak. voxy hidup lagi dalam sedetik, tetapi nginx menjauhinya selama fail_timeout, 10 detik; bila zero "
        "dinyalakan ulang saat itu, tak ada yang tersisa: 502. Tunggu lebih lama dari fail_timeout, atau drain.",
    ),
    fault=(restart_app("voxy", lasting=seconds(4)), restart_app("zero", lasting=seconds(4))),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(bad_window()).at_most(seconds(1)),
    ],
    outcomes={"default": Outcome.DEVIATED, "tuned": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
)
