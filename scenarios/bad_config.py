"""A bad config: a typing mistake, and a reload is asked for. nginx -t saves you."""

from lab import Lesson, Scenario, break_config, during, failed_requests, seconds, share_of

scenario = Scenario(
    question="A broken file is in nginx's folder and somebody reloads: does the site go down?",
    lesson=Lesson(
        en="Not by a reload: nginx tests the new configuration, refuses it and goes on with the old one. "
        "The site lives, 0 failed, but the next restart or reboot would be its end: always ask nginx -t first.",
        id="Tidak oleh reload: nginx menguji konfigurasi baru, menolaknya, dan terus memakai yang lama. Situs tetap "
        "hidup, 0 gagal, tetapi restart berikutnya akan mematikannya: selalu jalankan nginx -t lebih dulu.",
    ),
    fault=break_config("akuma", lasting=seconds(4)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(share_of("voxy")).between("40 %", "60 %"),
    ],
)
