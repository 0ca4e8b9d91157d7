"""One classroom: ip_hash looks at the /24 only, so all of its computers meet one backend."""

from lab import Lesson, Outcome, Scenario, during, failed_requests, seconds, stop_app

scenario = Scenario(
    question="A whole classroom asks through ip_hash: is there any balancing?",
    lesson=Lesson(
        en="ip_hash takes the first three numbers of an address: 192.168.56.1 and .254 are one client to it. "
        "Look at who served before the fault: one backend everything, the other 0. What is not used cannot be tested.",
        id="ip_hash hanya memakai tiga angka pertama alamat: bagi nginx 192.168.56.1 dan .254 adalah satu klien. "
        "Lihat siapa yang melayani sebelum gangguan: satu backend semuanya, yang lain 0. Tidak ada yang bisa diuji.",
    ),
    fault=stop_app("voxy", lasting=seconds(3)),
    verdict=[during(failed_requests()).at_most("0 %")],
    config="ip_hash",
    outcomes={"ip_hash": Outcome.INCONCLUSIVE},
)
