"""Reload under load: nginx reads its configuration five times while users ask."""

from lab import Lesson, Scenario, during, failed_requests, reload_nginx, seconds, stalls

scenario = Scenario(
    question="nginx is reloaded five times under load: is a request lost?",
    lesson=Lesson(
        en="Not one. A reload starts new workers and lets the old ones finish what they have; a restart cuts them off. "
        "Look at the failed requests, 0: there is no reason to change a configuration at night.",
        id="Tidak satu pun. Reload menyalakan worker baru dan membiarkan yang lama menuntaskan tugasnya; restart "
        "memutusnya. Lihat permintaan gagal, 0: mengganti konfigurasi tidak perlu menunggu malam.",
    ),
    fault=reload_nginx("akuma", times=5, lasting=seconds(3)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("0 %"),
    ],
)
