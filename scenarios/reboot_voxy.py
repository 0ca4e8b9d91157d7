"""Reboot voxy: a restart in order, as after an update. Does pm2 come back by itself?"""

from lab import Lesson, Scenario, after, back_within, during, failed_requests, reboot, seconds, share_of

scenario = Scenario(
    question="voxy reboots: does its app come back without anybody's hand?",
    lesson=Lesson(
        en="Only because of `pm2 startup` and `pm2 save`: systemd starts pm2, and pm2 what was saved. "
        "Forget them and voxy stays dark after the first power cut. Look at voxy's share afterwards.",
        id="Hanya berkat `pm2 startup` dan `pm2 save`: systemd menyalakan pm2, dan pm2 menyalakan yang tersimpan. "
        "Tanpa itu voxy tetap mati setelah listrik padam. Lihat bagian voxy sesudahnya.",
    ),
    fault=reboot("voxy", lasting=seconds(6)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        back_within(seconds(15)),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
