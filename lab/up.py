"""From nothing to a balanced site: `lab up`.

The phases are: app (fetched once to this computer), box (built when it is missing), boot (Vagrant
makes what is absent), provision (begins on each host as soon as it answers, while Vagrant still
waits for the others), proof (the balancer has served a request through each backend). Each phase asks first what is
there, so a second `up` changes nothing and an interrupted one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from lab import content, keys, preflight
from lab.apps.profile import resolve
from lab.apps.source import Source, SourceUnreachable, obtain
from lab.boxes import store
from lab.boxes.build import build
from lab.boxes.recipe import recipe_for
from lab.context import context_for
from lab.errors import EnvironmentProblem, Interrupted
from lab.events import Listener, Note, phase
from lab.home import Home
from lab.host import Host
from lab.machines.choose import choose, machines_for
from lab.machines.protocol import State
from lab.network import Network, resolv_conf
from lab.process import interrupt_children
from lab.proof import prove
from lab.provisioning import HostReport, provision
from lab.session import Session
from lab.steps import Step
from lab.topology import Lab
from lab.vagrantfile import BOOT_TIMEOUT_S, render

FALLBACK_APP = "hello"


class ProvisionFailed(EnvironmentProblem):
    """At least one host does not have all its states; the message names each failed step."""


@dataclass(frozen=True)
class UpReport:
    """What `up` did: the app that runs, the hosts' reports, and the names of guests that were made or started."""

    app: str
    provider: str
    booted: tuple[str, ...]
    hosts: tuple[HostReport, ...]
    answered: Mapping[str, int]
    seconds: float


def up(lab: Lab, home: Home, listener: Listener, *, provider: str = "", app: str = "") -> UpReport:
    """Bring a lab up, or what is missing of it. The caller holds the lab's lock.

    Args:
        lab: the topology.
        home: its folder.
        listener: told of phases, steps and notes.
        provider: beats the topology's when not empty.
        app: a profile, git URL or folder; beats the topology's when not empty, and is then never replaced.

    Raises:
        LabError: what failed, where, and what to do; the next `up` goes on from there.
    """
    began = monotonic()
    home.make()
    with _session(lab, home, listener, provider) as session:
        with phase(listener, "app"):
            source = source_for(lab, home, listener, app)
        box = _box(session, source)
        _prepare(session, box)
        with phase(listener, "boot and provision"):
            booted, hosts = _boot_and_provision(session, source)
        with phase(listener, "proof", "a request through each backend"):
            answered = prove(session)
    return UpReport(source.profile.name, session.provider, booted, hosts, answered, monotonic() - began)


def source_for(lab: Lab, home: Home, listener: Listener, named: str = "") -> Source:
    """The app's source: the named one, the one named before, or the topology's.

    Raises:
        SourceUnreachable: an app that the user named cannot be fetched.
    """
    state = home.state()
    wanted = named or (state.app if state.app_named else lab.app.name)
    explicit = bool(named) or state.app_named
    try:
        source = obtain(resolve(wanted))
    except SourceUnreachable as fault:
        if explicit:
            raise
        listener(Note(f"{fault.message}; the lab goes on with its own app `{FALLBACK_APP}`", loud=True))
        wanted, source = FALLBACK_APP, obtain(resolve(FALLBACK_APP))
    home.remember(app=wanted, app_named=explicit)
    return source


def provision_hosts(session: Session, source: Source, names: tuple[str, ...]) -> tuple[HostReport, ...]:
    """Give running hosts their states.

    Raises:
        ProvisionFailed: at least one host failed; the others were finished.
    """
    return _checked(provision(_plan(session.lab, source, names), session.host, session.listener))


def _session(lab: Lab, home: Home, listener: Listener, wanted: str) -> Session:
    remembered = home.state().provider if home.state().created else ""
    asked = wanted or (lab.provider if lab.provider != "auto" else "") or remembered or "auto"
    if remembered and asked != remembered:
        raise EnvironmentProblem(
            f"this lab runs on {remembered}, and {asked} was asked for", "lab destroy, then lab up again"
        )
    choice = choose(asked)
    listener(Note(choice.why))
    preflight.check(choice.provider)
    return Session(lab, home, choice.provider, machines_for(lab, home, choice.provider), listener)


def _box(session: Session, source: Source) -> str:
    """The name of the box, built and given to Vagrant when it is not there and a guest is to be made."""
    if session.provider != "lxc":
        return str(getattr(session.lab.box, session.provider))
    if State.ABSENT not in session.machines.states().values():
        return session.home.state().box
    context = context_for(session.lab, source)
    recipe = recipe_for(context)
    if not store.box_file(recipe.name).exists():
        build(recipe, context, session.home, session.listener)
    if not store.is_added(recipe.name):
        store.add(recipe.name)
    return recipe.name


def _prepare(session: Session, box: str) -> None:
    """Keys, network and Vagrantfile: what must be there before the first guest."""
    lab, home = session.lab, session.home
    keys.make_lab_key(home)
    if session.provider == "lxc":
        keys.make_guest_files(lab, home, resolv_conf(lab))
        Network(lab, home).ensure()
    home.write("vagrant/Vagrantfile", render(lab, session.provider, box, home))
    home.remember(provider=session.provider, box=box)


def _boot_and_provision(session: Session, source: Source) -> tuple[tuple[str, ...], tuple[HostReport, ...]]:
    """Containers are provisioned while they boot; virtual machines when Vagrant knows their addresses."""
    names = tuple(host.name for host in session.lab.hosts)
    plan = _plan(session.lab, source, names)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="boot") as pool, _tidy_interrupt(session):
        boot = pool.submit(session.machines.create)
        if session.provider != "lxc":
            boot.result()
        session.record_targets()
        reports = provision(plan, _opener(session, boot), session.listener)
        booted = boot.result()
    return booted, _checked(reports)


def _plan(lab: Lab, source: Source, names: tuple[str, ...]) -> dict[str, Iterator[Step]]:
    context = context_for(lab, source)
    content_plan = content.load("provision").plan
    return {name: content_plan(context, lab[name]) for name in names}


def _opener(session: Session, boot: Future[tuple[str, ...]]) -> Callable[[str], Host]:
    """Opens a host as soon as it answers, and gives up when the boot has failed."""
    within_s = BOOT_TIMEOUT_S[session.provider]

    def failed() -> bool:
        return boot.done() and boot.exception() is not None

    def opener(name: str) -> Host:
        return session.reachable_host(name, within_s, failed)

    return opener


def _checked(reports: tuple[HostReport, ...]) -> tuple[HostReport, ...]:
    failed = [report for report in reports if not report.ok]
    if failed:
        raise ProvisionFailed("\n".join(report.error for report in failed), "mend the cause, then `lab up` goes on")
    return reports


@contextmanager
def _tidy_interrupt(session: Session) -> Iterator[None]:
    """On Ctrl-C or SIGTERM: end what runs on the hosts and on this computer, then say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        session.close()
        interrupt_children()
        raise Interrupted("interrupted while the hosts were made", "`lab up` goes on from here") from None
