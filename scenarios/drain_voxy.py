"""Drain voxy: it is taken out in order, and then restarted. Nobody is lost, not even a POST."""

from lab import (
    Lesson,
    Scenario,
    after,
    drain,
    duplicate_posts,
    during,
    failed_requests,
    restart_app,
    retries,
    seconds,
    share_of,
)  # fmt: skip

scenario = Scenario(
    question="voxy is marked down, nginx reloaded, the app restarted: is one request lost?",
    lesson=Lesson(
        en="None, and nginx did not even have to try twice. A failover repairs; a drain needs no repair: "
        "mark it down, reload, work in peace, put it back. Look at failed, retries and double POSTs: 0, 0, 0.",
        id="Tidak ada, dan nginx bahkan tidak perlu mencoba dua kali. Failover memperbaiki; drain tidak perlu "
        "diperbaiki: tandai down, reload, bekerja dengan tenang, kembalikan. Lihat: gagal 0, ulang 0, POST ganda 0.",
    ),
    fault=(drain("voxy", lasting=seconds(3)), restart_app("voxy", drained=True, lasting=seconds(3))),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(retries()).at_most(0),
        during(duplicate_posts()).at_most(0),
        during(share_of("voxy"), settled=True).at_most("0 %"),
        after(share_of("voxy")).at_least("40 %"),
    ],
    posts=0.2,
    needs_hello=True,
)
