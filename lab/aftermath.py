"""What is gathered when a run is over: the balancer's log, the POSTs that were executed, and what is left."""

from __future__ import annotations

import json

from lab.faults import BROKEN, LOGS, SITE
from lab.history import ACCESS
from lab.journal import Journal
from lab.ledger import Ledger
from lab.records import LeftoverRecord, PostsRecord
from lab.run_folder import RunFolder, write_bytes
from lab.sample import Clock
from lab.session import Session
from lab.variants import SAVED

LOG = f"{LOGS}/akuma.access.json"
_FAILED = r'"upstream_addr":"[^"]*, |"status":5[0-9][0-9]'
"""The lines of requests for which the balancer asked somebody in vain; a visitor who went away (499) proves nothing."""
_OTHERS = 1000
"""How many lines of others are copied at most; the last ones."""
_LOOK = f"""
nft list table inet lab_fault >/dev/null 2>&1 && echo 'nftables: table lab_fault'
systemctl list-units --all --plain --no-legend 'lab-*' | sed 's/^/systemd: /'
for p in /proc/[0-9]*; do
    read -r _ name state _ < $p/stat 2>/dev/null && test "$state" = T && echo "stopped process: $name"
done
test -e {SAVED} && echo 'nginx: {SAVED}'
test -e {BROKEN} && echo 'nginx: lab-broken.conf'
grep -qs ' down;' {SITE} && echo 'nginx: a backend that is down'
mountpoint -q {LOGS} && echo 'a file system on {LOGS}'
true
"""


def collect_log(session: Session, folder: RunFolder, run: str) -> None:
    """Copy this run's lines of the balancer's log into the run's folder, and those of others whose request failed over.

    A visitor from elsewhere may be the one by whom nginx finds out, and then it asks the victim for nobody else.
    """
    host = session.host(session.lab.balancer.name)
    picked, ours = f"/tmp/lab-{run}.jsonl", f'"id":"{run}-'
    host.run(
        "{ grep -hF %s %s.1 %s; grep -hE %s %s.1 %s | grep -vF %s | tail -n %s; } > %s 2>/dev/null || true",
        ours, LOG, LOG, _FAILED, LOG, LOG, ours, _OTHERS, picked, root=True,
    )  # fmt: skip
    write_bytes(folder.path / ACCESS, host.get(picked))
    host.run("rm -f %s", picked, root=True)


def record_posts(session: Session, journal: Journal, clock: Clock, run: str) -> None:
    """Ask each backend's app `hello` which POSTs of this run it executed, and how often."""
    control = session.lab.app.port + 1
    for backend in session.lab.backends:
        shown = session.host(backend.name).run("curl -sSf --max-time 10 http://127.0.0.1:%s/posts", control).stdout
        noted = [post for post in json.loads(shown) if str(post["id"]).startswith(f"{run}-")]
        ids = tuple(str(post["id"]) for post in noted for _ in range(post["count"]))
        journal.append(PostsRecord(clock.now(), backend.name, ids))


def record_leftovers(session: Session, journal: Journal, clock: Clock, ledger: Ledger) -> None:
    """Look on every host, and in the ledger, for what the faults may have left."""
    found = [f"ledger: {entry.what}" for entry in ledger.entries()]
    for host in session.lab.hosts:
        lines = session.host(host.name).run(_LOOK, root=True).stdout.splitlines()
        found += [f"{host.name}: {line.strip()}" for line in lines]
    names = tuple(host.name for host in session.lab.hosts)
    journal.append(LeftoverRecord(clock.now(), names, tuple(found)))
