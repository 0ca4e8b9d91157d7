"""The project of a lab: its machines' names are its own there, and all of them together stay below its limits."""

from __future__ import annotations

from lab.errors import EnvironmentProblem
from lab.home import Home
from lab.lxd.client import Lxd, LxdFailed
from lab.lxd.kind import has_vms
from lab.topology import Lab

OWNER = "user.lab.owner"
"""The key under which the id of a lab stands beside everything that is the lab's own."""
VM_STATE_MB = 100
"""What a virtual machine has beside its disk, for what LXD tells it."""


def project_of(lab: Lab, home: Home) -> str:
    """The project's name."""
    return lab.engine.project or f"lab-{home.id}"


def ensure(lxd: Lxd, lab: Lab, home: Home) -> None:
    """Make the project, or bring its limits up to date; one question when there is nothing to do.

    Raises:
        EnvironmentProblem: a project of that name is somebody else's.
    """
    name, wanted = project_of(lab, home), _config(lab, home)
    there = lxd.find(f"projects/{name}")
    if there is None:
        try:
            lxd.post("projects", {"name": name, "description": f"lab {lab.name}", "config": wanted})
            return
        except LxdFailed as fault:
            if not fault.is_there_already:
                raise
            there = lxd.get(f"projects/{name}")
    _refuse_others(lxd, name, there["config"], home)
    if any(there["config"].get(key) != value for key, value in wanted.items()):
        lxd.patch(f"projects/{name}", {"config": {**there["config"], **wanted}})


def remove(lxd: Lxd, lab: Lab, home: Home) -> None:
    """Remove the project, which has no machines any more; nothing when it is gone or somebody else's."""
    name = project_of(lab, home)
    there = lxd.find(f"projects/{name}")
    if there is not None and there["config"].get(OWNER) == home.id:
        lxd.delete(f"projects/{name}")


def _refuse_others(lxd: Lxd, name: str, config: dict[str, str], home: Home) -> None:
    owner = config.get(OWNER, "")
    if owner != home.id:
        whose = f"lab {owner}'s" if owner else "none of a lab"
        raise EnvironmentProblem(f"{lxd.place}: the project {name} is {whose}", "name another one: engine.project")


def _config(lab: Lab, home: Home) -> dict[str, str]:
    """Images are everybody's; the limits are the sums of what the machines may take."""
    count = len(lab.hosts)
    vms = count if has_vms(home) else 0
    return {
        OWNER: home.id,
        "features.images": "false",
        "features.profiles": "false",
        "limits.containers": str(count - vms),
        "limits.virtual-machines": str(vms),
        "limits.memory": f"{sum(host.memory_mb for host in lab.hosts)}MiB",
        **({} if vms else {"limits.processes": str(count * lab.engine.processes)}),
        "limits.disk": f"{count * lab.engine.disk_gb * 1024 + vms * VM_STATE_MB}MiB",
    }
