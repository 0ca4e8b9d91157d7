"""No fault: the control. Who cannot report nothing cannot report anything."""

from lab import Lesson, Scenario, during, failed_requests, share_of, stalls

scenario = Scenario(
    question="Nothing is done to the lab: is nothing reported?",
    lesson=Lesson(
        en="A measurement needs a control: the same load without a fault. "
        "If this does not hold, believe none of the others. Look at the shares: half and half.",
        id="Setiap pengukuran perlu pembanding: beban yang sama tanpa gangguan. "
        "Jika ini tidak HELD, jangan percaya yang lain. Lihat bagiannya: separuh-separuh.",
    ),
    fault=None,
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(stalls()).at_most("0 %"),
        during(share_of("voxy")).between("40 %", "60 %"),
    ],
)
