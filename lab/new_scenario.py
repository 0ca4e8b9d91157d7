"""The skeleton of a scenario of one's own."""

from __future__ import annotations

from pathlib import Path

from lab.errors import UsageError

TEXT = '''"""{title}: say in one line what happens."""

from lab import Lesson, Scenario, during, failed_requests, seconds, stop_app

scenario = Scenario(
    question="What do users see when …?",
    lesson=Lesson(en="What a class learns from it.", id="Apa yang dipelajari kelas darinya."),
    fault=stop_app("voxy", lasting=seconds(5)),
    verdict=[
        during(failed_requests()).at_most("0 %"),
    ],
)
'''


def write_skeleton(name: str, folder: Path) -> Path:
    """Write NAME.py into the folder; its path.

    Raises:
        UsageError: the file exists, or the name would be no file's.
    """
    stem = name.removesuffix(".py").replace("-", "_")
    if not stem.isidentifier():
        raise UsageError(f"{name!r} is no name for a scenario", "use letters, digits and hyphens: my-scenario")
    path = folder / f"{stem}.py"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEXT.format(title=stem.replace("_", " ").capitalize()))
    except FileExistsError:
        raise UsageError(f"{path} exists already", "name another") from None
    return path
