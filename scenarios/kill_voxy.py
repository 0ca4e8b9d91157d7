"""Kill voxy: one backend loses its power under load. Do users notice?"""

from lab import Lesson, Scenario, after, during, failed_requests, power_off, seconds, share_of

scenario = Scenario(
    question="Does nginx hide the loss of voxy from users?",
    lesson=Lesson(
        en="nginx finds out by the first request that fails, and asks zero instead. A user sees nothing. "
        "voxy gets requests again up to fail_timeout after it is back, not at once.",
        id="nginx mengetahuinya dari permintaan pertama yang gagal, lalu bertanya kepada zero. Pengguna tidak "
        "merasakan apa-apa. voxy menerima permintaan lagi paling lama fail_timeout setelah ia hidup kembali.",
    ),
    fault=power_off("voxy", lasting=seconds(6)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(share_of("voxy"), settled=True).at_most("0 %"),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
