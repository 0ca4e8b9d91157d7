"""Named configurations of the balancer, so that a class sees what a setting does: default, tuned, naive, and mistakes.

A variant is put on the balancer like a fault: by way of the ledger, with the command that puts the old file back.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from lab import content
from lab.errors import CommandFailed
from lab.faults import SITE
from lab.ledger import Entry, Ledger
from lab.scenario import Variant
from lab.session import Session
from lab.topology import Lab, Upstream

SAVED = f"{SITE}.lab-saved"
TEMPLATE = "provision/templates/my.reverse-proxy.conf.j2"
_UNDO = f"test ! -e {SAVED} || {{ mv -f {SAVED} {SITE} && systemctl reload nginx; }}"


def upstream_of(variant: Variant, lab: Lab) -> Upstream:
    """The upstream's settings in a variant.

    `tuned` bounds every kind of failure by two seconds and takes a 503 for one; `naive` is nginx without
    a word said: 60 s for everything.
    """
    own = lab.upstream
    if variant == "tuned":
        return replace(
            own, method="least_conn", max_fails=2, fail_timeout_s=5, connect_timeout_s=1, read_timeout_s=2,
            next_upstream=("error", "timeout", "http_502", "http_503", "http_504"), tries=2,
        )  # fmt: skip
    if variant == "naive":
        return Upstream(name=own.name, connect_timeout_s=60, read_timeout_s=60)
    if variant == "non_idempotent":
        return replace(own, next_upstream=(*own.next_upstream, "non_idempotent"))
    return replace(own, method="ip_hash") if variant == "ip_hash" else own


def text_of(variant: Variant, lab: Lab) -> str:
    """The site's configuration file in a variant."""
    template = "scenarios/configs/ghost.conf.j2" if variant == "ghost" else TEMPLATE
    return content.render(template, lab=replace(lab, upstream=upstream_of(variant, lab)))


def put_on(variant: Variant, session: Session, ledger: Ledger, run: str) -> Entry | None:
    """Make the balancer run a variant; the ledger's entry, or None for the default.

    Raises:
        CommandFailed: nginx refuses it; the old file is back then.
    """
    if variant == "default":
        return None
    balancer = session.lab.balancer.name
    entry = Entry(uuid4().hex[:12], f"config {variant} {balancer}", balancer, "command", _UNDO, run)
    ledger.write(entry)
    host = session.host(balancer)
    host.run("test -e %s || cp -p %s %s", SAVED, SITE, SAVED, root=True)
    host.put(text_of(variant, session.lab).encode(), SITE)
    tested = host.run("nginx -t", root=True, check=False)
    if not tested.ok:
        host.run(_UNDO, root=True)
        ledger.remove(entry)
        raise CommandFailed(balancer, tested, "the old configuration is back")
    host.run("systemctl reload nginx", root=True)
    return entry
