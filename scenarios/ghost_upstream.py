"""The ghost upstream: declared, but nobody asks it. The test passes, and proves nothing."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, seconds, share_of, stop_app

scenario = Scenario(
    question="The upstream is declared, proxy_pass still names 127.0.0.1:3000: is there any failover?",
    lesson=Lesson(
        en="0 errors, and yet nothing was proved: voxy served 0 requests before the fault, so nobody could miss it. "
        "nginx -t does not see it. Look at the share before the fault, not only at the errors.",
        id="0 galat, tetapi tidak ada yang terbukti: voxy melayani 0 permintaan sebelum gangguan, jadi tidak ada yang "
        "kehilangan. nginx -t tidak melihatnya. Lihat bagian sebelum gangguan, bukan hanya galatnya.",
    ),
    fault=stop_app("voxy", lasting=seconds(3)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(share_of("voxy"), settled=True).at_most("0 %"),
    ],
    config="ghost",
    outcomes={"ghost": Outcome.INCONCLUSIVE},
)
