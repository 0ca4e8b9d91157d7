"""The skeleton of an exercise of one's own: complete, and red until it is filled in."""

from __future__ import annotations

import re
from pathlib import Path

from lab.errors import UsageError

_TOML = """version = 1
title = { en = "Say what it teaches", id = "Sebutkan apa yang diajarkannya" }
points = 10
minutes = 15
hosts = ["akuma"]
stage = "fresh"
fails = ["serves_the_token"]

[artefacts]
akuma = ["/etc/nginx/conf.d/*.conf"]

[replay]
akuma = "nginx -t && systemctl restart nginx"
"""
_CHECKS = '''"""What is looked at, from outside first."""

from lab import Scene, Wrong, check


@check(points=10)
def serves_the_token(scene: Scene) -> None:
    """The front page of {name} bears the student's token."""
    answer = scene.visit("akuma")
    if not answer.status:
        raise Wrong("nothing-answers", error=answer.error)
    if scene.token not in answer.text:
        raise Wrong("no-token", status=answer.status)
'''.replace("{name}", "akuma")
_MESSAGES_EN = """[wrong.nothing-answers]
expected = "an answer on port 80 of akuma"
actual = "{error}"
hints = ["a nudge", "the place", "nearly the command"]

[wrong.no-token]
expected = "{token} in the page"
actual = "a page without it, status {status}"
hints = ["a nudge", "the place", "nearly the command"]
"""
_MESSAGES_ID = """[wrong.nothing-answers]
expected = "jawaban di port 80 akuma"
actual = "{error}"
hints = ["dorongan kecil", "tempatnya", "hampir perintahnya"]

[wrong.no-token]
expected = "{token} di dalam halaman"
actual = "halaman tanpa token, status {status}"
hints = ["dorongan kecil", "tempatnya", "hampir perintahnya"]

[checks]
serves_the_token = "Halaman depan akuma memuat token Anda."
"""
_SOLUTION = """sudo systemctl enable --now nginx
echo "$TOKEN" | sudo tee /var/www/html/index.html
"""
_MISTAKE = """title = { en = "Started, with the old page", id = "Sudah jalan, dengan halaman lama" }
fails = "serves_the_token"
message = "no-token"
"""
FILES = {
    "exercise.toml": _TOML,
    "checks.py": _CHECKS,
    "messages.en.toml": _MESSAGES_EN,
    "messages.id.toml": _MESSAGES_ID,
    "task.en.md": "# Title\n\nServe a page with `{{ token }}` at http://{{ akuma }}/.\n",
    "task.id.md": "# Judul\n\nSajikan halaman berisi `{{ token }}` di http://{{ akuma }}/.\n",
    "solution/akuma.sh": _SOLUTION,
    "solution/explanation.en.md": "Why the solution works.\n",
    "solution/explanation.id.md": "Mengapa penyelesaian ini berhasil.\n",
    "mistakes/old-page/mistake.toml": _MISTAKE,
    "mistakes/old-page/akuma.sh": "sudo systemctl enable --now nginx\n",
}


def write_skeleton(name: str, folder: Path) -> Path:
    """Write NN-NAME into a folder of exercises, with the next number; its path.

    Raises:
        UsageError: the name would be no folder's, or there is an exercise of that name.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise UsageError(f"{name!r} is no name for an exercise", "use a to z, digits and hyphens: my-exercise")
    taken = [path for path in folder.glob("[0-9][0-9]-*") if path.is_dir()]
    if any(path.name[3:] == name for path in taken):
        raise UsageError(f"{folder}: there is an exercise {name} already", "name another")
    number = max((int(each.name[:2]) for each in taken), default=0) + 1
    if number > 99:
        raise UsageError(f"{folder}: number 99 is taken, and there is none after it", "give that one a smaller number")
    path = folder / f"{number:02d}-{name}"
    for file, text in FILES.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text, encoding="utf-8")
    return path
