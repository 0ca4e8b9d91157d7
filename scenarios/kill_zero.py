"""Kill zero: the other backend loses its power. Is voxy as good a rescuer?"""

from lab import Lesson, Scenario, after, during, failed_requests, power_off, seconds, share_of

scenario = Scenario(
    question="Does nginx hide the loss of zero just as well?",
    lesson=Lesson(
        en="Neither backend is special: with zero gone, voxy carries everything. "
        "Look at the survivor's share, 100 %: could it carry that on a busy day?",
        id="Tidak ada backend yang istimewa: tanpa zero, voxy memikul semuanya. "
        "Lihat bagian yang selamat, 100 %: sanggupkah ia pada hari yang ramai?",
    ),
    fault=power_off("zero", lasting=seconds(6)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(share_of("voxy"), settled=True).at_least("100 %"),
        after(share_of("zero")).at_least("40 %"),
    ],
)
