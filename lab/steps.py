"""States that a host shall have. A step asks first, and changes something only on a difference.

Content builds steps with the lower-case functions at the end: `packages("nginx")`, `file(…)`,
`service("nginx", running=True, enabled=True)`. A step is a value: two equal steps do the same, and
its `repr` tells everything that it would do, which is what the recipe of a box is hashed from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from lab.asking import Question
from lab.errors import CommandFailed, Result
from lab.host import Host, quoted

PENDING = "/var/lib/lab/pending"
APT_S = 600


class Step(Protocol):
    """One state of a host."""

    @property
    def title(self) -> str:
        """What the user reads while it is brought about."""
        ...

    def is_met(self, host: Host) -> bool:
        """Whether the host has the state already; changes nothing."""
        ...

    def apply(self, host: Host) -> None:
        """Bring the state about; CommandFailed when that does not work."""
        ...


@dataclass(frozen=True)
class Packages:
    """Debian packages are installed."""

    network: ClassVar[bool] = True
    names: tuple[str, ...]

    @property
    def title(self) -> str:
        """The packages' names."""
        return "packages " + " ".join(self.names)

    def is_met(self, host: Host) -> bool:
        """Each of them is known to dpkg as installed."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """What dpkg knows of them."""
        return Question(f"dpkg-query -W -f '${{Status}}\\n' {_words(self.names)}")

    def is_met_by(self, answer: Result) -> bool:
        """All are installed."""
        return answer.ok and answer.stdout.count("ok installed") == len(self.names)

    def apply(self, host: Host) -> None:
        """Install them with apt-get, after an update of its lists."""
        apt = "DEBIAN_FRONTEND=noninteractive apt-get -q"
        options = "-y --no-install-recommends -o DPkg::Lock::Timeout=60"
        host.run(f"{apt} update && {apt} install {options} {_words(self.names)}", root=True, timeout_s=APT_S)


@dataclass(frozen=True)
class File:
    """A file has this content, owner and mode; `then` was run after its last change.

    When `check` fails on the new content, the old content is put back before the error is raised.
    """

    path: str
    content: str = field(repr=False)
    mode: str = "644"
    owner: str = "root:root"
    check: str = ""
    then: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.content.encode()).hexdigest())

    @property
    def title(self) -> str:
        """The file's path."""
        return f"file {self.path}"

    @property
    def _pending(self) -> str:
        return f"{PENDING}-{hashlib.sha256(self.path.encode()).hexdigest()[:12]}"

    def is_met(self, host: Host) -> bool:
        """Content, mode and owner are as wanted, and no `then` is owed."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """Digest, mode, owner; fails when a `then` is owed."""
        asked = "sha256sum < %s && stat -c '%%a %%U:%%G' %s && test ! -e %s"
        return Question(quoted(asked, self.path, self.path, self._pending), root=True)

    def is_met_by(self, answer: Result) -> bool:
        """They are the wanted ones."""
        words = answer.stdout.split()
        return answer.ok and words[:1] + words[2:] == [self.digest, self.mode, self.owner]

    def apply(self, host: Host) -> None:
        """Write the file, check it, and run `then`."""
        old = f"{self.path}.lab-old"
        owed = host.run("test -e %s", self._pending, root=True, check=False).ok
        host.run(
            "mkdir -p %s && touch %s && if test -e %s; then cp -p %s %s; else rm -f %s; fi",
            PENDING.rpartition("/")[0], self._pending, self.path, self.path, old, old, root=True,
        )  # fmt: skip
        host.put(self.content.encode(), self.path, mode=self.mode, owner=self.owner)
        if self.check:
            self._check(host, old, owed)
        if self.then:
            host.run(self.then, root=True)
        host.run("rm -f %s %s", old, self._pending, root=True)

    def _check(self, host: Host, old: str, owed: bool) -> None:
        checked = host.run(self.check, root=True, check=False)
        if not checked.ok:
            host.run(
                "if test -e %s; then mv -f %s %s; else rm -f %s; fi",
                old, old, self.path, self.path, root=True,
            )  # fmt: skip
            if not owed:
                host.run("rm -f %s", self._pending, root=True)
            raise CommandFailed(host.name, checked, f"{self.path} was put back as it was")


@dataclass(frozen=True)
class Line:
    """A line stands in a file, right after another one."""

    path: str
    text: str
    after: str
    check: str = ""
    then: str = ""

    @property
    def title(self) -> str:
        """The line and its file."""
        return f"line `{self.text.strip()}` in {self.path}"

    def is_met(self, host: Host) -> bool:
        """The line is there."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """Whether the line stands there, and no `then` is owed."""
        owed = File(self.path, "")._pending
        return Question(quoted("grep -qxF -- %s %s && test ! -e %s", self.text, self.path, owed))

    def is_met_by(self, answer: Result) -> bool:
        """It does."""
        return answer.ok

    def apply(self, host: Host) -> None:
        """Add it after the last line that contains `after`; else at the end."""
        lines = host.get(self.path).decode().splitlines()
        places = [index for index, line in enumerate(lines) if self.after in line]
        lines.insert(places[-1] + 1 if places else len(lines), self.text)
        File(self.path, "\n".join(lines) + "\n", check=self.check, then=self.then).apply(host)


@dataclass(frozen=True)
class Service:
    """A systemd unit runs (or not) and starts at boot (or not)."""

    name: str
    running: bool = True
    enabled: bool = True

    @property
    def title(self) -> str:
        """The unit and its wanted state."""
        words = ("running" if self.running else "stopped", "enabled" if self.enabled else "disabled")
        return f"service {self.name} {', '.join(words)}"

    def is_met(self, host: Host) -> bool:
        """Systemd says so."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """Systemd's two words for it."""
        return Question(quoted("systemctl is-active %s; systemctl is-enabled %s", self.name, self.name))

    def is_met_by(self, answer: Result) -> bool:
        """They are the wanted ones."""
        active, _, enabled = answer.stdout.strip().partition("\n")
        return (active == "active") is self.running and (enabled == "enabled") is self.enabled

    def apply(self, host: Host) -> None:
        """Enable or disable, start or stop."""
        verb = "enable" if self.enabled else "disable"
        power = "start" if self.running else "stop"
        host.run("systemctl -q %s %s && systemctl %s %s", verb, self.name, power, self.name, root=True)


@dataclass(frozen=True)
class Command:
    """What a command brings about; `unless` succeeds where that is so already.

    `network` says whether the command fetches from the internet; it does not change what the command is.
    """

    title: str
    run: str
    unless: str
    user: str = ""
    env: tuple[tuple[str, str], ...] = ()
    timeout_s: float = 300
    network: bool = field(default=False, repr=False)

    def is_met(self, host: Host) -> bool:
        """`unless` succeeds."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """The command `unless`."""
        return Question(self.unless, self.user, not self.user, self.env)

    def is_met_by(self, answer: Result) -> bool:
        """It succeeded."""
        return answer.ok

    def apply(self, host: Host) -> None:
        """Run the command."""
        host.run(self.run, user=self.user, root=not self.user, timeout_s=self.timeout_s, env=dict(self.env))


def packages(*names: str) -> Step:
    """Debian packages are installed."""
    return Packages(names)


def file(
    path: str, content: str, *, mode: str = "644", owner: str = "root:root", check: str = "", then: str = ""
) -> Step:
    """A file has this content; `check` may refuse it, `then` makes it known (as `reload("nginx")`)."""
    return File(path, content, mode, owner, check, then)


def directory(path: str, *, mode: str = "755", owner: str = "root:root") -> Step:
    """A folder is there, with this owner and mode."""
    user, _, group = owner.partition(":")
    make = quoted("install -d -m %s -o %s -g %s %s", mode, user, group or user, path)
    return Command(
        f"directory {path}", make, quoted("test \"$(stat -c '%%a %%U:%%G' %s)\" = %s", path, f"{mode} {owner}")
    )


def line(path: str, text: str, *, after: str, check: str = "", then: str = "") -> Step:
    """A line stands in a file, after the last one that contains `after`."""
    return Line(path, text, after, check, then)


def service(name: str, *, running: bool, enabled: bool) -> Step:
    """A systemd unit runs or not, and starts at boot or not."""
    return Service(name, running, enabled)


def command(
    title: str, run: str, *args: object, unless: str, user: str = "", env: Mapping[str, str] | None = None,
    timeout_s: float = 300, network: bool = False,
) -> Step:  # fmt: skip
    """What a command brings about, where `unless` does not already succeed; root unless a user is named.

    `network` is for a command that fetches from the internet: `lab up --offline` then knows before it begins.
    """
    return Command(title, quoted(run, *args), unless, user, tuple(sorted((env or {}).items())), timeout_s, network)


def needs_network(step: Step) -> bool:
    """Whether bringing a state about fetches from the internet; a step that says nothing does not."""
    return bool(getattr(step, "network", False))


def reload(name: str) -> str:
    """The command that makes a service read its configuration; for `then`."""
    return quoted("systemctl reload-or-restart %s", name)


def _words(names: tuple[str, ...]) -> str:
    return quoted(" ".join(["%s"] * len(names)), *names)
