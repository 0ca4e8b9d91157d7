"""Flap voxy: a second gone, a second there, again and again."""

from lab import Lesson, Scenario, after, during, failed_requests, flap_link, retries, seconds, share_of

scenario = Scenario(
    question="voxy comes and goes every second: do users feel the flapping?",
    lesson=Lesson(
        en="No: after one failure nginx stays away for fail_timeout, 10 s, and so it meets only the first gap. "
        "Look at the retries: a handful, where asking voxy each time would cost hundreds.",
        id="Tidak: setelah satu kegagalan nginx menjauh selama fail_timeout, 10 detik, jadi hanya celah pertama yang "
        "dirasakannya. Lihat percobaan ulang: segelintir, bukan ratusan.",
    ),
    fault=flap_link("voxy", lasting=seconds(8)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(retries()).at_most("2 %"),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
