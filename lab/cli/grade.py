"""lab grade, lab grade collect|replay|verify"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from lab.cli.live import shown
from lab.cli.naming import with_name
from lab.cli.options import exercise_names, file_option, json_option, lab_and_home, lang_option, language
from lab.config import load
from lab.errors import DEVIATED, HELD, EnvironmentProblem
from lab.placing import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from lab.exercises.exercise import Exercise, Language
    from lab.exercises.student import Student
    from lab.grading.classroom import Classroom
    from lab.grading.collect import Collection, Entry
    from lab.grading.outputs import Outputs
    from lab.grading.pinning import Pins
    from lab.home import Home
    from lab.topology import Lab

EXAMPLES = """
\b
Examples:
  lab grade                                  check once more, and write the file to hand in
  lab grade --html grades.html               with a page to look at
  lab grade verify grade-ana.json            what a hand-in claims, and whether it was changed
  lab grade collect hand-ins --class class --csv grades.csv --html grades.html
  lab grade replay hand-ins/grade-ana.json --class class
"""
F = TypeVar("F", bound="Callable[..., Any]")
out_type = click.Path(path_type=Path, dir_okay=False)
hand_in_argument = click.argument("hand_in", metavar="FILE", type=click.Path(path_type=Path, exists=True))
class_option = click.option(
    "--class", "class_folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=None,
    help="The folder that `lab class init` made: knows the roster, the cards and the keys.",
)  # fmt: skip


def files_options(command: F) -> F:
    """The options that name files to write; the command gets them as `csv`, `junit` and `html`."""
    command = click.option("--html", type=out_type, default=None, help="Write one self-contained page.")(command)
    command = click.option("--junit", type=out_type, default=None, help="Write JUnit XML.")(command)
    return click.option("--csv", type=out_type, default=None, help="Write a table for a gradebook.")(command)


@click.group(invoke_without_command=True, epilog=EXAMPLES)
@click.option("--out", type=out_type, default=None, help="The file to hand in; default: grade-STUDENT.json here.")
@files_options
@click.option("--no-check", is_flag=True, help="Do not check the present exercise once more.")
@lang_option
@file_option
@json_option
def grade(
    out: Path | None, no_check: bool, lang: str | None, file: Path | None, as_json: bool,
    **files: Path | None,
) -> None:  # fmt: skip
    """Grade all exercises, and write the file to hand in; or look at the hand-ins of others.

    The exercise that the machines are in is checked once more, with --full; of all others the best run of the present
    attempt counts. With --json the file goes to standard output, and to a file only with --out.
    """
    if click.get_current_context().invoked_subcommand:
        return
    from lab.exercises import exercise as exercises
    from lab.exercises.progress import now
    from lab.exercises.student import load_student
    from lab.grading.handing_in import handed_in
    from lab.grading.outputs import Outputs
    from lab.grading.table import PROVES, of_one

    lab, home = lab_and_home(file)
    student = load_student(home.folder)
    shipped = exercises.everything()
    if not no_check:
        _check_again(lab, home, student, shipped, quiet=as_json)
    spoken = language(lang, lab)
    path = out or Path(f"grade-{student.id}.json")
    content, collection = handed_in(home, student, shipped, now(), path.name)
    if out or not as_json:
        _write(path, content.decode())
    _write_all(collection, shipped, Outputs(**files), spoken, quiet=as_json)
    if as_json:
        return click.echo(content, nl=False)
    _print(of_one(collection.entries[0].grade, shipped, spoken))
    click.echo(f"hand in: {path}\n{PROVES}")


@grade.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@class_option
@files_options
@lang_option
@json_option
def collect(folder: Path, class_folder: Path | None, lang: str | None, as_json: bool, **files: Path | None) -> None:
    """Merge the hand-ins of a class.

    Ends with 1 when a file was refused or has a remark; the others are merged all the same.
    """
    from lab.exercises import exercise as exercises
    from lab.exercises.progress import now
    from lab.grading import pinning
    from lab.grading.collect import collect as merge
    from lab.grading.gradebook import merged
    from lab.grading.outputs import Outputs
    from lab.grading.table import of_many

    shipped = exercises.everything()
    classroom, pins = _class(class_folder)
    found = merge(folder, shipped, classroom, pins)
    title = classroom.course if classroom else folder.resolve().name
    _write_all(found, shipped, Outputs(**files), language(lang, load()), title, quiet=as_json)
    if class_folder and found.pins != pins:
        pinning.save(class_folder, found.pins)
    if as_json:
        click.echo(merged(found, shipped, now()), nl=False)
    else:
        _print(of_many(found, shipped))
    raise click.exceptions.Exit(HELD if found.is_sound else DEVIATED)


@grade.command()
@hand_in_argument
@class_option
@lang_option
@json_option
def verify(hand_in: Path, class_folder: Path | None, lang: str | None, as_json: bool) -> None:
    """Say what a hand-in claims, and whether it holds.

    Ends with 1 when it was changed since it was signed, or has another remark.
    """
    from lab.exercises import exercise as exercises
    from lab.grading.gradebook import verified
    from lab.grading.table import of_one, signed

    shipped = exercises.everything()
    entry = _judged(hand_in, shipped, class_folder)
    if as_json:
        click.echo(verified(entry, shipped), nl=False)
    else:
        grade = entry.grade
        click.echo(" · ".join(filter(None, (grade.student, grade.name, grade.course, grade.made_at))))
        _print(of_one(grade, shipped, language(lang, load())))
        _print(signed(entry))
    raise click.exceptions.Exit(DEVIATED if entry.flags else HELD)


@grade.command()
@hand_in_argument
@class_option
@click.option("--exercise", "chosen", multiple=True, shell_complete=exercise_names, help="Only this one; repeatable.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@file_option
@json_option
def replay(
    hand_in: Path, class_folder: Path | None, chosen: tuple[str, ...], yes: bool, file: Path | None, as_json: bool
) -> None:
    """Mark a student's files on clean machines.

    They are put on machines made anew, and your own checks mark what has become of them. Everything on the machines of
    these exercises is lost. Ends with 0 when all that could be replayed agrees, 1 when something differs or the hand-in
    has a remark, 3 when nothing can be concluded.
    """
    from lab.exercises import exercise as exercises
    from lab.grading.replay import exit_code, hindered, owner, replayable, to_json
    from lab.grading.replay import replay as run
    from lab.grading.table import of_replay, signed
    from lab.session import open_session

    _, home = lab_and_home(file)
    plain = settled(load(file), home)  # not the teacher's own card
    shipped = exercises.everything()
    entry = _judged(hand_in, shipped, class_folder)
    classroom, _ = _class(class_folder)
    owner(entry.grade, classroom)
    chosen = tuple(exercises.load(name).id for name in chosen)
    names = replayable(entry.grade, shipped, chosen)
    done = hindered(entry.grade, shipped, chosen)
    if names and not yes:
        hosts = dict.fromkeys(host for each in shipped if each.id in names for host in each.about.hosts)
        question = f"Make {', '.join(hosts)} anew for {', '.join(names)}, and lose all that is on them?"
        click.confirm(question, abort=True, err=True)
    if names:
        with home.lock("lab grade replay"), shown(as_json) as said, open_session(plain, home, said) as session:
            done = run(session, entry.grade, classroom, shipped, chosen)
    if as_json:
        click.echo(to_json(entry, done), nl=False)
    else:
        _print(of_replay(done))
        _print(signed(entry))
        if names:
            click.echo(with_name(f"The machines are as {names[-1]} left them; `lab up` makes the site again."))
    raise click.exceptions.Exit(DEVIATED if entry.flags else exit_code(done))


def _check_again(lab: Lab, home: Home, student: Student, shipped: Sequence[Exercise], *, quiet: bool) -> None:
    from lab.grading.handing_in import active_exercise, check_again
    from lab.session import open_session

    exercise = active_exercise(home, shipped)
    if exercise is None:
        return
    with home.lock("lab grade"), shown(quiet) as listener, open_session(lab, home, listener) as session:
        marked = check_again(session, exercise, student)
    if marked is None and not quiet:
        click.echo(f"The machines are not at {exercise.id} any more; its best run counts.", err=True)


def _class(folder: Path | None) -> tuple[Classroom | None, Pins]:
    from lab.grading import classroom, pinning

    return (classroom.load(folder), pinning.load(folder)) if folder else (None, pinning.Pins())


def _judged(path: Path, shipped: Sequence[Exercise], class_folder: Path | None) -> Entry:
    from lab.grading.collect import judge
    from lab.grading.reading import read

    classroom, pins = _class(class_folder)
    return judge(read(path, shipped), shipped, classroom, pins)


def _write_all(
    found: Collection, shipped: Sequence[Exercise], files: Outputs, lang: Language, title: str = "", *, quiet: bool
) -> None:  # fmt: skip
    from lab.exercises.progress import now

    for each in files.texts(found, shipped, now(), title, lang):
        _write(each.path, each.text)
        click.echo(each.path, err=quiet)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: cannot be written: {fault.strerror}") from None


def _print(table: RenderableType) -> None:
    from rich.console import Console

    Console(highlight=False).print(table)
