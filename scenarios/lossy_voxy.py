"""A lossy link to voxy: one packet in five is lost. Half ill is harder to notice than dead."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, lose_packets, seconds, stalls

scenario = Scenario(
    question="One packet in five on its way to voxy is lost: how many users wait?",
    lesson=Lesson(
        en="A lost SYN is sent again after 1 s, and proxy_connect_timeout of 1 s calls that a failure: voxy is left "
        "out. With 60 s (--config naive) it never is, and users keep waiting. Look at the stalls.",
        id="SYN yang hilang dikirim lagi setelah 1 detik; proxy_connect_timeout 1 detik menganggapnya gagal dan voxy "
        "dikeluarkan. Dengan 60 detik (--config naive) tidak pernah, dan pengguna terus menunggu. Lihat tersendat.",
    ),
    fault=lose_packets("voxy", percent=20, lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("5 %"),
    ],
    outcomes={"naive": Outcome.DEVIATED},
)
