"""Crash voxy: the app's process is killed, and pm2 brings it back. Who saved you?"""

from lab import Lesson, Scenario, after, during, failed_requests, kill_process, retries, seconds, share_of

scenario = Scenario(
    question="The app on voxy crashes: who saves the users, nginx or pm2?",
    lesson=Lesson(
        en="Both. pm2 has the app back in a fraction of a second, and the few requests of that moment nginx asks "
        "zero. But nginx stays away from voxy for fail_timeout, 10 s, though voxy is well: look at recover.",
        id="Keduanya. pm2 menghidupkan aplikasi lagi dalam sekejap, dan permintaan pada saat itu dialihkan nginx ke "
        "zero. Namun nginx menjauhi voxy selama fail_timeout, 10 detik, padahal voxy sudah sehat: lihat recover.",
    ),
    fault=kill_process("voxy", lasting=seconds(4)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
        during(retries()).at_least(1),
        after(share_of("voxy")).at_least("40 %"),
    ],
)
