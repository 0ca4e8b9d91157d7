"""States of a backend that concern its application: cloned, with dependencies, built, running.

What costs minutes is done once for the whole lab: the first backend that needs dependencies or a
build makes them, the others get a copy through this computer's cache.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from lab import home
from lab.apps.source import Source
from lab.asking import Question
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.host import Host, quoted
from lab.waiting import wait_for

INSTALL_S = 1200
_once: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_failed: dict[str, str] = {}
"""Key → the host on which making it has failed; the others do not try the same again."""


@dataclass(frozen=True)
class Cloned:
    """The repository is cloned at a revision. A student's changes are stashed, never lost."""

    name: str
    url: str
    revision: str
    branch: str
    bundle: Path
    folder: str
    user: str
    without: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The app and the start of its revision."""
        return f"clone of {self.name} at {self.revision[:7]}"

    def is_met(self, host: Host) -> bool:
        """HEAD is the revision."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """Which revision is checked out."""
        return Question(quoted("git -C %s rev-parse HEAD", self.folder), self.user)

    def is_met_by(self, answer: Result) -> bool:
        """The wanted one."""
        return answer.stdout.strip() == self.revision

    def apply(self, host: Host) -> None:
        """Copy the bundle; clone from it, or fetch from it into the clone that is there."""
        staged = f"/tmp/lab-{self.name}.bundle"
        host.put(self.bundle, staged, owner=f"{self.user}:{self.user}")
        if host.run("test -d %s/.git", self.folder, user=self.user, check=False).ok:
            host.run(
                "cd %s && { git diff --quiet HEAD || git -c user.name=lab -c user.email=lab@localhost stash -q; } && "
                "git fetch -q %s HEAD && { git merge-base --is-ancestor HEAD FETCH_HEAD || "
                "git branch -f lab-kept-$(git rev-parse --short HEAD); } && git checkout -q -B %s FETCH_HEAD",
                self.folder, staged, self.branch, user=self.user,
            )  # fmt: skip
        else:
            host.run("git clone -q -b %s %s %s", self.branch, staged, self.folder, user=self.user)
        host.run("git -C %s remote set-url origin %s; rm -f %s", self.folder, self.url, staged, user=self.user)


@dataclass(frozen=True)
class Made:
    """A folder inside the clone holds what a command makes: dependencies, or a build.

    Attributes:
        what: for people.
        key: equal where the result is; it is written beside the result.
        product: the folder, relative to the clone.
        command: what makes it.
    """

    what: str
    key: str
    product: str
    command: str
    folder: str
    user: str
    env: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """What is made."""
        return self.what

    @property
    def kept(self) -> Path:
        """Where this computer keeps a copy of it, or would."""
        return home.cache() / "made" / f"{self.key}.tar.gz"

    @property
    def network(self) -> bool:
        """Whether making it would fetch from the internet: a copy is only unpacked."""
        return not self.kept.exists()

    @property
    def _mark(self) -> str:
        return f"{self.folder}/{self.product}/.lab-made"

    def is_met(self, host: Host) -> bool:
        """The mark in the folder bears the key."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """The key of what was made last."""
        return Question(quoted("cat %s", self._mark), self.user)

    def is_met_by(self, answer: Result) -> bool:
        """The wanted one."""
        return answer.stdout.strip() == self.key

    def apply(self, host: Host) -> None:
        """Copy it when another backend has made it, else make it and keep a copy."""
        kept = self.kept
        with _once[self.key]:
            if self.key in _failed:
                raise EnvironmentProblem(f"{host.name}: not tried, for it has just failed on {_failed[self.key]}")
            if not kept.exists():
                self._make(host)
                self._keep(host, kept)
                return
        self._copy(host, kept)

    def _make(self, host: Host) -> None:
        host.run("rm -rf %s", f"{self.folder}/{self.product}", user=self.user)
        made = host.run(  # CI is unset, for with it react-scripts takes warnings for errors
            f"cd %s && unset CI && ( {self.command.replace('%', '%%')} ) < /dev/null && mkdir -p %s && echo %s > %s",
            self.folder, self.product, self.key, self._mark,
            user=self.user, env=dict(self.env), timeout_s=INSTALL_S, check=False,
        )  # fmt: skip
        if not made.ok:
            _failed[self.key] = host.name
            mend = f"when its end has no cause, memory ran out: raise memory_mb of {host.name} in lab.toml"
            raise CommandFailed(host.name, made, mend)

    def _keep(self, host: Host, kept: Path) -> None:
        packed = f"/var/tmp/lab-{self.key}.tar.gz"
        host.run("tar -C %s -cf - %s | gzip -1 > %s", self.folder, self.product, packed, user=self.user, timeout_s=300)
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".new")
        fresh.write_bytes(host.get(packed))
        fresh.replace(kept)
        host.run("rm -f %s", packed, root=True)

    def _copy(self, host: Host, kept: Path) -> None:
        packed = f"/var/tmp/lab-{self.key}.tar.gz"
        host.put(kept, packed, owner=f"{self.user}:{self.user}")
        host.run(
            "cd %s && rm -rf %s && tar -xzf %s && rm -f %s",
            self.folder, self.product, packed, packed, user=self.user, timeout_s=300,
        )  # fmt: skip


@dataclass(frozen=True)
class Running:
    """pm2 runs the app, remembers it for the next boot, and the port answers.

    The port is asked, not pm2: pm2 calls an app online that dies and is born again in a loop.

    Attributes:
        spec: equal where app, revision, mode and environment are; a running app bears it.
        start: the pm2 command line.
        ready_s: how long the first answer may take, in seconds.
    """

    name: str
    spec: str
    start: str
    folder: str
    port: int
    user: str
    ready_s: int
    env: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        """The app and its port."""
        return f"{self.name} running under pm2 on port {self.port}"

    def is_met(self, host: Host) -> bool:
        """Saved by pm2 with this spec, pm2 lives, the port answers, and who answers bears the spec."""
        return self.is_met_by(self.question.ask(host))

    @property
    def question(self) -> Question:
        """All of it in a shell: `pm2 jlist` would say the same in a quarter of a second."""
        asked = (
            "grep -qF -e %s -e %s ~/.pm2/dump.pm2 && kill -0 $(cat ~/.pm2/pm2.pid) && "
            f"curl -sS -o /dev/null --max-time 5 http://127.0.0.1:{self.port}/ && "
            f"pid=$(ss -Hltnp sport = :{self.port} | sed -n '1s/.*pid=\\([0-9]*\\),.*/\\1/p') && "
            "grep -qzxF %s /proc/$pid/environ"
        )
        saved = f'"LAB_APP": "{self.spec}"', f'"LAB_APP":"{self.spec}"'  # by `pm2 save`, or by a pm2 that was ended
        return Question(quoted(asked, *saved, f"LAB_APP={self.spec}"), self.user)

    def is_met_by(self, answer: Result) -> bool:
        """All of it is so."""
        return answer.ok

    def apply(self, host: Host) -> None:
        """Replace an earlier app of ours by this one.

        A guest that is still booting starts its own pm2, which is waited for: two that start each other's daemon wait
        for ever (seen in 1 of 6 guests made at once).
        """
        host.run("systemctl is-system-running --wait", check=False)
        for number in self._ours(host):
            host.run("pm2 delete %s", number, user=self.user)
        self._refuse_taken_port(host)
        host.run(
            f"cd %s && unset CI && {self.start.replace('%', '%%')} && pm2 save --force", self.folder, user=self.user,
            env={**dict(self.env), "LAB_APP": self.spec, "PORT": str(self.port)}, timeout_s=120,
        )  # fmt: skip
        wait_for(
            f"{self.name} on {host.name}, port {self.port}", lambda: self._answers(host).ok,
            within_s=self.ready_s * host.patience, every_s=0.1, mend=f"`lab logs {host.name}` shows what the app says",
        )  # fmt: skip

    def _answers(self, host: Host) -> Result:
        return host.run(f"curl -sS -o /dev/null --max-time 5 http://127.0.0.1:{self.port}/", check=False)

    def _ours(self, host: Host) -> dict[int, str]:
        """The apps of the lab that pm2 has: number → spec. Where pm2 was never used by us, it is not asked."""
        shown = host.run(
            "test -e ~/.pm2/dump.pm2 || grep -qsz ^LAB_APP= /proc/[0-9]*/environ || exit 0; pm2 jlist", user=self.user
        )
        listed = next((line for line in shown.stdout.splitlines() if line.startswith("[")), "[]")
        apps = {each["pm_id"]: each["pm2_env"].get("LAB_APP", "") for each in json.loads(listed)}
        return {number: spec for number, spec in apps.items() if spec}

    def _refuse_taken_port(self, host: Host) -> None:
        def free() -> bool:
            return not host.run("ss -Hltn sport = :%s", self.port).stdout.strip()

        try:
            wait_for("a free port", free, within_s=10)
        except EnvironmentProblem:
            holder = host.run("ss -Hltnp sport = :%s", self.port, root=True).stdout.split()[-1:]
            raise EnvironmentProblem(
                f"{host.name}: port {self.port} is taken by {' '.join(holder)}",
                f"end that program on {host.name}, or choose another port in lab.toml",
            ) from None


def spec_of(source: Source, mode: str, port: int) -> str:
    """A short name for an app as it shall run; equal only where everything is."""
    text = f"{source.revision} {mode} {port} {sorted(source.profile.env.items())} {source.profile.start}"
    return f"{source.profile.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
