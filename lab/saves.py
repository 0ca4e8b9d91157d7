"""Goes back to any point of a lesson: saves of all machines at once, and what on this computer belongs to them.

A save holds the disks of all machines, which app they run, and which exercise they are in. Running processes are not
saved: restored machines boot. What a student has reached is never taken back: an attempt is the student's record, and
the machines say by their mark which attempt they are in. So after a restore into an attempt that was given up for a
new one, the checks do not count what is on the machines.

No save is made while a fault is in force, and none is restored without being told to: a restore takes the power
of every machine and puts its disk back to a point without faults, so it undoes whatever was injected, on the disk and
in the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from lab import power, save_points
from lab.errors import EnvironmentProblem, HostUnreachable, Interrupted, LabError, UsageError
from lab.events import Note, phase
from lab.exercises import progress
from lab.exercises.exercise import load as load_exercise
from lab.exercises.staging import staged
from lab.healing import heal_all
from lab.ledger import Entry, Ledger
from lab.machines.protocol import State
from lab.parallel import together
from lab.power import APP_S
from lab.proof import require_answer, status_of
from lab.save_points import Save
from lab.session import Session
from lab.signals import shielded
from lab.topology import Role

PATIENCE_S = 5
"""How long a host or an app may take to answer, to be one of those that a restore waits for."""


@dataclass(frozen=True)
class Listed:
    """A save, and the hosts that cannot go back to it any more, because they were made again."""

    save: Save
    missing: tuple[str, ...]


def save(session: Session, name: str, *, note: str = "", replace: bool = False, heal: bool = False) -> Save:
    """Save all machines as they are now. The caller holds the lab's lock.

    Args:
        session: the lab; its machines may be running or stopped.
        name: a label.
        note: for people.
        replace: let it take the place of one of that name, which stays until the new one is whole.
        heal: undo first what is injected.

    Raises:
        UsageError: the name is taken or none, a machine is absent, or the provider has no saves.
        EnvironmentProblem: a fault is in force, a restore was cut off, or there is no room; nothing was touched.
        Interrupted: the save is whole; not all may serve yet.
        LabError: what failed; there is no new save then.
    """
    home = session.home
    save_points.valid_name(name)
    if name in save_points.names(home) and not replace:
        raise UsageError(f"there is a save {name!r} already", "take another name, or --replace")
    if cut_off := save_points.restoring(home):
        raise EnvironmentProblem(
            f"a restore of {cut_off} was cut off, so the machines may be at different points", f"lab restore {cut_off}"
        )
    hosts = tuple(host.name for host in session.lab.hosts)
    power.refuse_absent(session, hosts)
    session.machines.saves()
    _deal_with_faults(session, "save", heal)
    reachable = _reachable(session)
    exercise, attempt = _exercise_on(session)
    state = home.state()
    draft = Save(
        name, save_points.new_id(), progress.now(), 0, save_points.places(session.lab), session.provider, state.box,
        state.app, state.app_named, session.lab.app.port,
        reachable, tuple(name for name in reachable if _serves(session, name)),
        exercise, attempt, note,
    )  # fmt: skip
    try:
        with shielded(), phase(session.listener, "save", ", ".join(hosts)):
            made = _kept(session, draft)
        session.machines.prune(_known_ids(session))
        _wait(session, made)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; the save {name} is whole", "`lab start` waits until all serve") from None
    return made


def restore(session: Session, name: str, *, heal: bool = False) -> Save:
    """Put all machines back to a save, and wait until they answer as they did. The caller holds the lab's lock.

    Args:
        session: the lab, in whatever state its machines are.
        name: of the save.
        heal: go back although a fault is in force; the restore undoes it.

    Raises:
        UsageError: there is no such save, or it does not fit the lab any more; nothing was touched.
        EnvironmentProblem: a fault is in force; nothing was touched.
        Interrupted: all machines are at the save; they may not serve yet.
        LabError: what failed. Each machine is as it was or as it was saved; restoring again goes on.
    """
    home = session.home
    wanted = save_points.load(home, name)
    _refuse_what_does_not_fit(session, wanted)
    faults = _deal_with_faults(session, "restore", heal, healing_it_is_ours=True)
    try:
        with shielded():
            save_points.begin_restoring(home, name)
            with phase(session.listener, "restore", name):
                _put_back(session, wanted)
        _wait(session, wanted)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; the machines are at {name}", "`lab start` waits until they serve") from None
    for entry in faults:
        Ledger(home).remove(entry)
    with phase(session.listener, "tidy"):
        session.machines.prune(_known_ids(session))
    return wanted


def listed(session: Session) -> tuple[Listed, ...]:
    """All saves, the oldest first.

    Raises:
        UsageError: the provider has no saves.
        EnvironmentProblem: a record is damaged.
    """
    there = session.machines.saves()
    return tuple(Listed(each, _missing(each, there)) for each in save_points.every(session.home))


def remove(session: Session, name: str) -> None:
    """Remove a save. What the machines stand on stays, until they do not any more.

    Raises:
        UsageError: there is no such save.
    """
    save_points.refuse_unknown(session.home, name)
    save_points.remove(session.home, name)
    if save_points.restoring(session.home) == name:
        save_points.end_restoring(session.home)
    session.machines.prune(_known_ids(session))


def in_step(session: Session, restored: Save) -> bool:
    """Whether the exercise that restored machines are in is still the student's present attempt at it."""
    if not restored.exercise:
        return True
    with suppress(LabError):
        present = progress.current(session.home, load_exercise(restored.exercise).id)
        return present is not None and present.id == restored.attempt
    return False


def _kept(session: Session, draft: Save) -> Save:
    """The save, once it is on the disk; nothing is left of one that fails."""
    before = _known_ids(session)
    _close(session)  # virtual machines are shut down for it
    try:
        made = msgspec.structs.replace(draft, bytes=session.machines.save(draft.id))
        save_points.write(session.home, made)
    except BaseException:
        with suppress(LabError):
            session.machines.prune(before)
        raise
    return made


def _put_back(session: Session, wanted: Save) -> None:
    """Machines first, then what on this computer belongs to the point."""
    home = session.home
    _close(session)
    try:
        session.machines.restore(wanted.id)
    except LabError as fault:
        raise EnvironmentProblem(
            f"not all machines are at {wanted.name}, each is as it was or as it was saved: {fault}",
            f"`lab restore {wanted.name}` goes on",
        ) from None
    home.remember(app=wanted.app, app_named=wanted.app_named)
    if progress.active(home) != wanted.exercise:
        progress.activate(home, wanted.exercise)
    save_points.end_restoring(home)


def _reachable(session: Session) -> tuple[str, ...]:
    """The hosts that let us in, within the patience that a busy computer needs."""
    states = session.machines.states()
    running = [name for name, state in states.items() if state is State.RUNNING]

    def lets_in(name: str) -> bool:
        try:
            session.reachable_host(name, PATIENCE_S)
        except HostUnreachable:
            return False
        return True

    return tuple(name for name, let_in in zip(running, together(running, lets_in), strict=True) if let_in)


def _serves(session: Session, name: str) -> bool:
    is_backend = session.lab[name].is_a(Role.BACKEND)
    return is_backend and status_of(session.lab, name, PATIENCE_S) is not None


def _wait(session: Session, point: Save) -> None:
    """Until all that answered at a point answers: a student may be about to mend the rest."""

    def back(name: str) -> None:
        session.reachable_host(name, session.boot_s)
        if name in point.serving:
            require_answer(session.lab, name, APP_S * session.patience)

    with phase(session.listener, "answers", ", ".join(point.reachable)):
        together(point.reachable, back)


def _refuse_what_does_not_fit(session: Session, wanted: Save) -> None:
    otherwise = save_points.difference(wanted, session.lab, session.provider, session.home.state().box)
    if otherwise:
        raise UsageError(
            f"{wanted.name} does not fit this lab any more: {otherwise}",
            f"put that back, or `lab saves --remove {wanted.name}`",
        )
    power.refuse_absent(session, tuple(host.name for host in session.lab.hosts))
    if missing := _missing(wanted, session.machines.saves()):
        raise UsageError(
            f"{', '.join(missing)} was made again since {wanted.name} and has lost it",
            f"lab saves --remove {wanted.name}",
        )


def _deal_with_faults(
    session: Session, doing: str, heal: bool, *, healing_it_is_ours: bool = False
) -> tuple[Entry, ...]:  # fmt: skip
    """What is in force and will be undone by us; refused without `heal`, and healed now unless it is ours."""
    ledger = Ledger(session.home)
    entries = ledger.entries()
    if not entries:
        return ()
    what = ", ".join(entry.what for entry in entries)
    if not heal:
        raise EnvironmentProblem(f"still in force: {what}", f"`lab heal` first, or `lab {doing} --heal`")
    session.listener(Note(f"healed by this: {what}", loud=True))
    if healing_it_is_ours:
        return entries
    heal_all(session, ledger)
    return ()


def _exercise_on(session: Session) -> tuple[str, str]:
    """The exercise that the machines are in as it is called, and the attempt's id; empty for none."""
    with suppress(LabError):
        called = progress.active(session.home)
        exercise = load_exercise(called) if called else None
        attempt = progress.current(session.home, exercise.id) if exercise else None
        if exercise and attempt and staged(session, exercise, attempt.id) is not None:
            return called, attempt.id
    return "", ""


def _known_ids(session: Session) -> frozenset[str]:
    """The ids of all records; nothing may be pruned while one of them cannot be read."""
    return frozenset(each.id for each in save_points.every(session.home))


def _missing(save: Save, there: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    return tuple(place.name for place in save.hosts if save.id not in there.get(place.name, frozenset()))


def _close(session: Session) -> None:
    """End connections that the machines' end would break."""
    for host in session.lab.hosts:
        session.host(host.name).close()
