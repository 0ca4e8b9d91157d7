"""From nothing to a balanced site: `lab up`.

The phases are: app (fetched once to this computer), box (built when it is missing), boot (Vagrant
makes what is absent), provision (begins on each host as soon as it answers, while Vagrant still
waits for the others), proof (the balancer has served a request through each backend). Each phase asks first what is
there, so a second `up` changes nothing and an interrupted one goes on. A lab without internet takes
app and box from the cache, and says what it lacks before it touches anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from lab import content, keys, preflight
from lab.apps import packed
from lab.apps.profile import names as shipped
from lab.apps.profile import resolve
from lab.apps.source import Source, SourceUnreachable, obtain
from lab.boxes import store
from lab.boxes.ours import name_of, obtain_box
from lab.boxes.recipe import recipe_for
from lab.context import Context, context_for
from lab.errors import EnvironmentProblem, Interrupted, LabError, UsageError
from lab.events import Listener, Note, phase
from lab.home import Home
from lab.host import Host
from lab.lxd import image, trace
from lab.lxd.client import Lxd, connect
from lab.lxd.kind import with_kind
from lab.lxd.members import require_vms
from lab.machines import libvirtd, pool
from lab.machines.capabilities import Capability
from lab.machines.choose import choose, driver_of, machines_for
from lab.machines.existing import in_use
from lab.machines.protocol import State
from lab.machines.vagrant import providers_in_use
from lab.network import resolv_conf
from lab.offline import MEND, NeedsNetwork, box_for, guarded
from lab.parallel import workers
from lab.placing import let_go, settle
from lab.process import interrupt_children
from lab.proof import prove
from lab.provisioning import HostReport, provision
from lab.session import Session
from lab.steps import Step
from lab.topology import Lab
from lab.vagrantfile import render
from lab.virtual_network import network_of

FALLBACK_APP = "hello"
BOOTED_BESIDE = ("lxc", "lxd")
"""The providers whose guests have keys and addresses that we know beforehand: they are provisioned while they boot."""
LAST_BREATH_S = 20
"""How long an interrupted Vagrant may take to end in order."""

HOSTS_AT_ONCE = 3
"""More hosts than these boot one after another on a busy computer, so the deadline grows with their number."""


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


def up(lab: Lab, home: Home, listener: Listener, *, provider: str = "", app: str = "", vm: bool = False) -> UpReport:
    """Bring a lab up, or what is missing of it. The caller holds the lab's lock.

    Args:
        lab: the topology.
        home: its folder.
        listener: told of phases, steps and notes.
        provider: beats the topology's when not empty.
        app: a profile, git URL or folder; beats the topology's when not empty, and is then never replaced.
        vm: whether LXD is to make virtual machines, whatever the topology says.

    Raises:
        Interrupted: Ctrl-C or SIGTERM came; what runs on this computer for us was ended.
        LabError: what failed, where, and what to do; the next `up` goes on from there.
    """
    home.make()
    try:
        return _up(lab, home, listener, provider, app, vm)
    except KeyboardInterrupt:
        raise Interrupted("interrupted", "`lab up` goes on from here") from None
    finally:
        with suppress(LabError):  # what ended the `up` is told, and not this
            let_go(home)


def _up(lab: Lab, home: Home, listener: Listener, provider: str, app: str, vm: bool) -> UpReport:
    began = monotonic()
    with _session(lab, home, listener, provider, vm) as session:
        with phase(listener, "app"):
            source = source_for(session.lab, home, listener, app)
        prepare(session, source)
        with phase(listener, "boot and provision", ", ".join(host.name for host in session.lab.hosts)):
            booted, hosts = _boot_and_provision(session, source)
        with phase(listener, "proof", "a request through each backend"):
            answered = prove(session)
    return UpReport(source.profile.name, session.provider, booted, hosts, answered, monotonic() - began)


def source_for(lab: Lab, home: Home, listener: Listener, named: str = "") -> Source:
    """The app's source: the named one, the one named before, or the topology's.

    Raises:
        SourceUnreachable: an app that the user named cannot be fetched; without internet, any that is not here.
    """
    state = home.state()
    wanted = named or (state.app if state.app_named else lab.app.name)
    explicit = bool(named) or state.app_named
    try:
        source = packed.find(wanted) if lab.offline else None
        source = source or obtain(resolve(wanted), offline=lab.offline)
        wanted = wanted if wanted in shipped() else source.profile.source
    except SourceUnreachable as fault:
        if explicit or lab.offline:
            raise
        listener(Note(f"{fault.message}; the lab goes on with its own app `{FALLBACK_APP}`", loud=True))
        wanted, source = FALLBACK_APP, obtain(resolve(FALLBACK_APP))
    home.remember(app=wanted, app_named=explicit)
    return source


def provision_hosts(session: Session, source: Source, names: tuple[str, ...]) -> tuple[HostReport, ...]:
    """Give running hosts their states; a report for each, failed or not."""
    return provision(_guarded_plan(session.lab, source, names), session.host, session.listener)


def _session(lab: Lab, home: Home, listener: Listener, wanted: str, vm: bool) -> Session:
    used = providers_in_use(home) or trace.in_use(home) or in_use(home)
    named = wanted or lab.provider
    if "existing" in (wanted, lab.provider) and wanted not in ("", lab.provider):
        raise UsageError(
            f'lab.toml says provider = "{lab.provider}", and {wanted} was asked for',
            'write provider = "existing" with addresses and ssh_user into lab.toml, or take it out of there',
        )
    asked = used[0] if used and named == "auto" else named
    if used and asked not in used:
        raise EnvironmentProblem(f"this lab runs on {used[0]}, and {asked} was asked for", "lab destroy, then lab up")
    choice = choose(asked)
    listener(Note(choice.why))
    preflight.check(choice.provider, builds=not lab.offline)
    if choice.provider == "lxd":
        lab = with_kind(lab, home, vm)
        door = connect(lab.engine, home.folder)
        if lab.engine.vm:
            require_vms(door, lab.engine)
    elif vm:
        raise UsageError(f"--vm is for LXD, and this lab is for {choice.provider}", "lab up --provider lxd --vm")
    lab = settle(lab, home, choice.provider, listener)
    return Session(lab, home, choice.provider, machines_for(lab, home, choice.provider), listener)


def prepare(session: Session, source: Source) -> None:
    """What must be there before the first guest: box, keys, network, Vagrantfile. Nothing where none is made."""
    lab, home = session.lab, session.home
    if Capability.MAKE not in session.machines.capabilities:
        home.remember(provider=session.provider, box="", offline=lab.offline)
        return
    if session.provider == "libvirt":
        libvirtd.ensure()
    box = _box(session, source)
    keys.make_lab_key(home)
    if session.provider in BOOTED_BESIDE:
        keys.make_guest_files(lab, home, resolv_conf(lab))
    if session.provider == "libvirt":
        libvirtd.ensure()  # while the box was built, another lab may have been the last to go
    if network := network_of(session.provider, lab, home):
        network.ensure()
    if session.provider == "libvirt":
        pool.ensure()  # from now on nobody takes it away
    driver = home.state().driver or _driver(session)
    if session.provider != "lxd":
        home.write("vagrant/Vagrantfile", render(lab, session.provider, box, home, driver=driver or "kvm"))
    home.remember(provider=session.provider, box=box, offline=lab.offline, driver=driver)


def _driver(session: Session) -> str:
    """How the provider's guests will be run; the user is told where that is slow."""
    driver, slow = driver_of(session.provider)
    if slow:
        session.listener(Note(slow, loud=True))
    return driver


def _box(session: Session, source: Source) -> str:
    """The name of the box, built and given to Vagrant when it is not there and a guest is to be made."""
    if session.lab.offline:
        return _box_at_hand(session, source)
    named: str = getattr(session.lab.box, session.provider, "")
    if named:
        return named
    remembered = session.home.state().box
    if remembered and State.ABSENT not in session.machines.states().values():
        return remembered
    context = context_for(session.lab, source)
    if session.provider == "lxd":
        return image.obtain_image(_lxd(session), context, session.home, session.listener)
    ours = name_of(session.provider, context)
    if session.provider == "virtualbox" and not (store.is_added(ours) or store.box_file(ours).exists()):
        return session.lab.box.public
    return obtain_box(session.provider, context, session.home, session.listener)


def _box_at_hand(session: Session, source: Source) -> str:
    """The same without internet: a box that has all that the hosts would fetch, or a refusal."""
    context = context_for(session.lab, source)
    if session.provider == "lxd":
        return _image_at_hand(session, context)
    box = box_for(session, recipe_for(context), _plan(context, tuple(host.name for host in session.lab.hosts)))
    if box and store.box_file(box).exists() and not store.is_added(box):
        store.add(box)
    return box


def _image_at_hand(session: Session, context: Context) -> str:
    """What a lab at an LXD needs without internet: the image there, or the box that it is made from."""
    if not (image.is_there(_lxd(session), context) or store.box_file(image.box_of(context)).exists()):
        raise NeedsNetwork(f"{_lxd(session).place}: without internet there is no image for this lab", MEND)
    return image.obtain_image(_lxd(session), context, session.home, session.listener)


def _lxd(session: Session) -> Lxd:
    return connect(session.lab.engine, session.home.folder)


def _boot_and_provision(session: Session, source: Source) -> tuple[tuple[str, ...], tuple[HostReport, ...]]:
    """Containers are provisioned while they boot; virtual machines when Vagrant knows their addresses."""
    names = tuple(host.name for host in session.lab.hosts)
    plan = _guarded_plan(session.lab, source, names)
    session.machines.tidy()
    with workers(1) as pool:
        boot = pool.submit(session.machines.create)
        try:
            if session.provider not in BOOTED_BESIDE:
                boot.result()
            session.record_targets()
            reports = provision(plan, _opener(session, boot), session.listener)
            booted = boot.result()
        except KeyboardInterrupt:
            interrupt_children()
            wait([boot], timeout=LAST_BREATH_S)
            raise
    return booted, _checked(reports)


def _plan(context: Context, names: tuple[str, ...]) -> dict[str, Iterator[Step]]:
    content_plan = content.load("provision").plan
    return {name: content_plan(context, context.lab[name]) for name in names}


def _guarded_plan(lab: Lab, source: Source, names: tuple[str, ...]) -> dict[str, Iterator[Step]]:
    return {name: guarded(lab, steps) for name, steps in _plan(context_for(lab, source), names).items()}


def _opener(session: Session, boot: Future[tuple[str, ...]]) -> Callable[[str], Host]:
    """Opens a host as soon as it answers, and gives up when the boot has failed."""
    within_s = session.boot_s * max(1.0, len(session.lab.hosts) / HOSTS_AT_ONCE)

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
