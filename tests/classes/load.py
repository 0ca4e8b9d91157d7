"""What a student's root can do in a machine to harm others, each bounded: it ends by itself, whatever the test does."""

from __future__ import annotations

from collections.abc import Iterable

from tests.cluster import Cluster

TCP = (22, 53, 80, 443, 3000, 8443)
PROBE_S = 2
_BOMB = """
end=$(($(date +%s) + {seconds}))
bomb() {{ while [ $(date +%s) -lt $end ]; do bomb & sleep 0.05; done; }}
(bomb) > /dev/null 2>&1 &
"""
"""Each of its shells starts twenty more in a second, and all look at the clock; it is the machine that must say no."""
_FULL = """
cd /var/tmp
for number in $(seq {files}); do error=$(head -c 100M /dev/zero 2>&1 > full.$number) || break; done
sync
echo "$error"
df --output=avail / | tail -n 1
"""
_BUSY = """
for number in $(seq {count}); do timeout -k 1 {seconds} sh -c 'while :; do :; done' > /dev/null 2>&1 & done
"""
_PROBE = """
for address in {addresses}; do
    ( ping -n -c 1 -W {wait} $address > /dev/null 2>&1 && echo $address ping ) &
    for port in {ports}; do
        ( timeout {wait} bash -c "exec 3<> /dev/tcp/$address/$port" 2> /dev/null && echo $address $port ) &
    done
    wait
done
true
"""


def fork_bomb(cluster: Cluster, project: str, instance: str, seconds: int = 30) -> None:
    """Start processes that start processes, for so long; returns at once."""
    _run(cluster, project, instance, _BOMB.format(seconds=seconds))


def busy(cluster: Cluster, project: str, instance: str, seconds: int = 30, count: int = 4) -> None:
    """Start so many loops that do nothing, for so long; returns at once."""
    _run(cluster, project, instance, _BUSY.format(seconds=seconds, count=count))


def fill_disk(cluster: Cluster, project: str, instance: str, up_to_gb: int = 8) -> tuple[str, int]:
    """Write until the machine's disk is full: the last error, and how many KiB are free then."""
    said = _run(cluster, project, instance, _FULL.format(files=up_to_gb * 10), timeout_s=180)
    *error, free = said.splitlines()
    return "\n".join(error), int(free)


def power_off(cluster: Cluster, project: str, instance: str) -> None:
    """End all of it: a machine with a fork bomb in it takes no command any more."""
    path = f"/1.0/instances/{instance}/state?project={project}"
    cluster.query("m1", "PUT", path, {"action": "stop", "force": True, "timeout": 60})


def answers(
    cluster: Cluster, project: str, instance: str, addresses: Iterable[str], ports: Iterable[int] = TCP
) -> set[tuple[str, str]]:
    """Who answers a machine: pairs of an address and `ping` or a TCP port that takes a connection."""
    script = _PROBE.format(addresses=" ".join(addresses), ports=" ".join(map(str, ports)), wait=PROBE_S)
    return {(words[0], words[1]) for words in map(str.split, _run(cluster, project, instance, script).splitlines())}


def _run(cluster: Cluster, project: str, instance: str, script: str, timeout_s: float = 120) -> str:
    done = cluster.inside(project, instance, script, timeout_s)
    assert done.ok, f"{instance}: {done.stderr}"
    return done.stdout
