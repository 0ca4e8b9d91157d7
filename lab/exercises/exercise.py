"""An exercise as its folder describes it: `exercises/NN-name/`.

    exercise.toml                     what it is; see `Exercise`
    task.en.md, task.id.md            what the student reads; Jinja with domain, port, token, fault and addresses
    messages.en.toml, messages.id.toml    what is wrong and three tiers of hints, by key; see lab/exercises/messages.py
    setup/HOST.sh                     run as root on the staged host; missing where the stage is the starting state
    checks.py                         functions with `@check`
    solution/[N-]HOST.sh              run as the user who logs in, as a student would type it
    solution/[N-]lab.sh               what the student types on their own computer; see lab/exercises/own_computer.py
    solution/explanation.en.md, .id.md
    mistakes/NAME/mistake.toml, [N-]HOST.sh    a typical wrong answer, and the check and message that must catch it

Scripts get DOMAIN, PORT, TOKEN, FAULT, and an address by each host's name in capitals: AKUMA, VOXY, ZERO.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from lab import content
from lab.errors import EnvironmentProblem, UsageError
from lab.exercises.checks import Check, checks_of
from lab.exercises.student import Student
from lab.machines.capabilities import Capability, require
from lab.topology import Lab

Language = Literal["en", "id"]
LANGUAGES: tuple[Language, ...] = ("en", "id")
Stage = Literal["fresh", "apps", "site"]
_STRICT = ConfigDict(extra="forbid")
_FOLDER = re.compile(r"^(\d\d)-([a-z0-9-]+)$")
T = TypeVar("T")
_SCRIPT = re.compile(r"^(?:\d-)?([a-z0-9-]+)\.sh$")


@checked(frozen=True, config=_STRICT)
class Title:
    """A line in both languages."""

    en: Annotated[str, Field(min_length=1)]
    id: Annotated[str, Field(min_length=1)]

    def in_(self, language: Language) -> str:
        """The line in a language."""
        return self.id if language == "id" else self.en


@checked(frozen=True, config=_STRICT)
class About:
    """exercise.toml.

    Attributes:
        version: raised when the checks change what they demand.
        title: in both languages.
        points: the sum of its checks' points.
        minutes: how long a student takes, about.
        hosts: the machines that it begins anew; checks may look at no others.
        stage: what they begin from: `fresh`, a Debian with nothing of the lab's running; `apps`, the application
            under pm2 on every backend among them; `site`, all that `lab up` makes.
        needs: what the machines must be able to do for it, as `power_on` where the student pulls a plug.
        repository: whether the application's repository is to be cloned from /srv/git/hello.git on each of them.
        faults: the variants of the starting state; each student has one of them.
        fails: the checks that fail in the starting state, all others pass or are skipped.
        artefacts: by host, patterns of the files that are the student's work.
        replay: the command that, by host, makes such files known after they were put in place.
    """

    version: Annotated[int, Field(ge=1)]
    title: Title
    points: Annotated[int, Field(ge=1, le=1000)]
    minutes: Annotated[int, Field(ge=1, le=600)]
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    fails: Annotated[tuple[str, ...], Field(min_length=1)]
    stage: Stage = "fresh"
    needs: tuple[Capability, ...] = ()
    repository: bool = False
    faults: tuple[str, ...] = ()
    artefacts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    replay: dict[str, str] = Field(default_factory=dict)


@checked(frozen=True, config=_STRICT)
class Caught:
    """mistake.toml: what the student thinks, and what catches it.

    Attributes:
        fails: the check that must fail.
        message: the key that it must fail with.
        after: whether it is made in the starting state or in the solved one.
    """

    title: Title
    fails: str
    message: str
    after: Literal["start", "solution"] = "start"


@dataclass(frozen=True)
class Script:
    """A shell script for one host."""

    host: str
    text: str


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer."""

    name: str
    caught: Caught
    scripts: tuple[Script, ...]


@dataclass(frozen=True)
class Exercise:
    """An exercise: its folder, read when it is asked for."""

    folder: Path
    about: About

    @property
    def id(self) -> str:
        """Its name: the folder's, without the number."""
        return self.folder.name.partition("-")[2]

    @property
    def called(self) -> str:
        """What `load` finds it by again: its name, or the path of one that does not ship."""
        return self.id if self.folder in _folders() else str(self.folder)

    @property
    def number(self) -> str:
        """Its place in the order: the folder's two digits."""
        return self.folder.name.partition("-")[0]

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """Its checks in their order.

        Raises:
            UsageError: checks.py does not import.
        """
        path = self.folder / "checks.py"
        spec = importlib.util.spec_from_file_location(f"exercise_{self.id.replace('-', '_')}", path)
        if spec is None or spec.loader is None or not path.is_file():
            raise UsageError(f"{path}: there is no such file", "an exercise has a checks.py")
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # dataclasses look there
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as fault:
            raise UsageError(f"{path}: does not import: {type(fault).__name__}: {fault}", "mend the file") from None
        return checks_of(module)

    def text(self, name: str, language: Language, lab: Lab, student: Student) -> str:
        """A text of the folder, as `task` or `solution/explanation`, with the student's own values in it."""
        return content.render_file(self.folder / f"{name}.{language}.md", **self.values(lab, student))

    def values(self, lab: Lab, student: Student) -> dict[str, str]:
        """What texts and messages may name: domain, port, token, fault, and each host's address by its name."""
        own = {
            "domain": lab.domain, "port": str(lab.app.port), "token": student.token(self.id),
            "fault": student.choice(self.id, self.about.faults),
        }  # fmt: skip
        return own | {host.name.replace("-", "_"): str(host.address) for host in lab.hosts}

    def typed(self, lab: Lab, student: Student) -> tuple[Script, ...]:
        """The solution with the student's own values in place of $DOMAIN, $PORT, …"""
        values = {name.upper(): value for name, value in self.values(lab, student).items()}
        return tuple(Script(each.host, Template(each.text).safe_substitute(values)) for each in self.solution)

    @property
    def setup(self) -> tuple[Script, ...]:
        """What makes the starting state."""
        return _scripts(self.folder / "setup")

    @property
    def solution(self) -> tuple[Script, ...]:
        """What a student would type."""
        return _scripts(self.folder / "solution")

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """Typical wrong answers.

        Raises:
            UsageError: a mistake.toml does not describe one.
        """
        folders = sorted(path for path in (self.folder / "mistakes").glob("*") if path.is_dir())
        return tuple(Mistake(path.name, _read(path / "mistake.toml", Caught), _scripts(path)) for path in folders)

    def require_hosts(self, lab: Lab) -> None:
        """Raise unless the lab has the exercise's hosts.

        Raises:
            UsageError: it lacks one.
        """
        missing = [name for name in self.about.hosts if name not in {host.name for host in lab.hosts}]
        if missing:
            raise UsageError(
                f"{self.id} needs a host called {missing[0]}, and lab.toml has none", "take the built-in lab"
            )

    def require_capable(self, capabilities: Collection[Capability]) -> None:
        """Raise unless the machines can do what the exercise needs.

        Raises:
            CannotBeDone: they cannot; nothing was touched.
        """
        for needed in self.about.needs:
            require(f"exercise {self.id}", needed, capabilities, "take another one: lab exercise list")


def names() -> list[str]:
    """The exercises that ship with the lab, in their order."""
    return [folder.name.partition("-")[2] for folder in _folders()]


def load(name: str) -> Exercise:
    """An exercise by its name, its number, or the path of a folder of the user's own.

    Raises:
        UsageError: there is none, or its exercise.toml does not describe one.
    """
    own = Path(name)
    if "/" in name and own.is_dir():
        return _loaded(own.resolve())
    for folder in _folders():
        number, _, id = folder.name.partition("-")
        if name in (id, folder.name, number, number.lstrip("0")):
            return _loaded(folder)
    close = difflib.get_close_matches(name, names(), n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names())}"
    raise UsageError(f"there is no exercise {name!r}", hint)


def everything() -> tuple[Exercise, ...]:
    """All exercises that ship, in their order."""
    return tuple(_loaded(folder) for folder in _folders())


def _folders() -> list[Path]:
    return sorted(path for path in (content.root() / "exercises").glob("*") if _FOLDER.match(path.name))


def _loaded(folder: Path) -> Exercise:
    if not _FOLDER.match(folder.name):
        raise UsageError(f"{folder}: an exercise's folder is named NN-name", "rename it, as 16-my-exercise")
    return Exercise(folder, _read(folder / "exercise.toml", About))


def _read(path: Path, kind: type[T]) -> T:
    try:
        return TypeAdapter(kind).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file", "`lab exercise new NAME` writes a skeleton") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise UsageError(f"{path}: is not TOML: {fault}", "mend the place that it names") from None
    except ValidationError as faults:
        first = faults.errors()[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise UsageError(
            f"{path}: {place}: {first['msg'].lower()}", "lab/exercises/exercise.py names all keys"
        ) from None
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: cannot be read: {fault.strerror}") from None


def _scripts(folder: Path) -> tuple[Script, ...]:
    found = [(path, _SCRIPT.match(path.name)) for path in sorted(folder.glob("*.sh"))]
    return tuple(Script(match[1], path.read_text(encoding="utf-8")) for path, match in found if match)
