"""Kill akuma: nginx itself stops. Two backends are well, and nobody can reach them."""

from lab import Lesson, Outcome, Scenario, bad_window, during, failed_requests, seconds, stop_nginx

scenario = Scenario(
    question="The balancer stops for 5 s: who fails over to whom?",
    lesson=Lesson(
        en="Nobody. The backends are two, the balancer is one: a single point of failure. "
        "Look at the bad window: as long as the fault, and every request in it failed. Its log knows nothing of them.",
        id="Tidak ada. Backend-nya dua, penyeimbangnya satu: titik kegagalan tunggal. Lihat jendela buruk: sepanjang "
        "gangguannya, dan semua permintaan di dalamnya gagal. Log nginx tidak tahu apa-apa tentang itu.",
    ),
    fault=stop_nginx("akuma", lasting=seconds(5)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(bad_window()).at_most(seconds(1)),
    ],
    outcomes={"default": Outcome.DEVIATED, "tuned": Outcome.DEVIATED, "naive": Outcome.DEVIATED},
)
