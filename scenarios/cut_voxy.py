"""Cut voxy off: packets vanish without a word. Silence is not refusal."""

from lab import Lesson, Outcome, Scenario, cut_link, during, failed_requests, latency_p99, seconds, share_of

scenario = Scenario(
    question="Nothing comes back from voxy, not even a no: how long until nginx gives up?",
    lesson=Lesson(
        en="Who is refused knows at once; who hears nothing must wait. proxy_connect_timeout says how long: 1 s here. "
        "Look at latency p99, and compare reject-voxy (0 s) and --config naive (60 s, longer than users wait).",
        id="Yang ditolak langsung tahu; yang tidak mendengar apa-apa harus menunggu. Lamanya: proxy_connect_timeout, "
        "di sini 1 detik. Lihat latensi p99; bandingkan reject-voxy (0 detik) dan --config naive (60 detik).",
    ),
    fault=cut_link("voxy", lasting=seconds(12)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(latency_p99()).at_most(seconds(1.5)),
        during(share_of("voxy"), settled=True).at_most("0 %"),
    ],
    outcomes={"naive": Outcome.DEVIATED},
)
