"""The states of one backend's application, in order: what `provision/app.py` yields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from lab.apps.source import Source
from lab.apps.steps import Cloned, Made, Running, spec_of
from lab.host import quoted
from lab.steps import Step
from lab.topology import App, Lab

MARK = "npm-deps"
MODES: tuple[Literal["dev", "build"], ...] = ("dev", "build")


def app_states(lab: Lab, source: Source, *, start: bool = True) -> Iterator[Step]:
    """The states that make a backend serve its app.

    Args:
        lab: user, port and mode are its `app` table.
        source: the app's revision.
        start: whether it shall run; a box only has it installed.
    """
    folder = f"/home/{lab.app.user}/{source.profile.name}"
    yield _cloned(lab.app, source, folder)
    if lab.app.mode == "build" and source.dependencies:
        yield _built(lab, source, folder)
        run = (
            f"pm2 start /usr/local/bin/sirv --name %s -- {quoted('%s', source.profile.output)} --single --host 0.0.0.0"
        )
        run = f"{run} --port {lab.app.port}"
    else:
        if source.dependencies:
            yield _dependencies(lab, source, folder)
        run = source.profile.start or (
            "if test -e ecosystem.config.js; then pm2 start ecosystem.config.js; "
            "else pm2 start npm --name %s -- start; fi"
        )
    if start:
        yield _running(lab.app, source, folder, quoted(run, source.profile.name) if "%s" in run else run)


def made_of(lab: Lab, source: Source) -> tuple[Made, ...]:
    """What the app needs besides its repository, in either mode: its dependencies, and its build."""
    return tuple(
        step
        for mode in MODES
        for step in app_states(replace(lab, app=replace(lab.app, mode=mode)), source, start=False)
        if isinstance(step, Made)
    )


def _cloned(app: App, source: Source, folder: str) -> Step:
    profile = source.profile
    return Cloned(
        profile.name, profile.source, source.revision, source.branch, source.bundle, folder, app.user, profile.exclude
    )


def _dependencies(lab: Lab, source: Source, folder: str) -> Step:
    profile = source.profile
    key = f"{MARK}-{source.dependencies}-node{lab.versions.node}"
    env = tuple(sorted(profile.env.items()))
    return Made(f"dependencies of {profile.name}", key, "node_modules", profile.install, folder, lab.app.user, env)


def _built(lab: Lab, source: Source, folder: str) -> Step:
    """The build of a revision, with its dependencies installed only where it is made."""
    profile = source.profile
    key = f"build-{profile.name}-{source.revision[:12]}-{source.dependencies}-node{lab.versions.node}"
    command = f"{profile.install} && {profile.build}"
    env = tuple(sorted(profile.env.items()))
    return Made(f"build of {profile.name}", key, profile.output, command, folder, lab.app.user, env)


def _running(app: App, source: Source, folder: str, run: str) -> Step:
    profile = source.profile
    env = tuple(sorted(profile.env.items()))
    spec = spec_of(source, app.mode, app.port)
    return Running(profile.name, spec, run, folder, app.port, app.user, profile.ready_s, env)
