"""What provision content is given: the lab, the app, and what this computer passes on to the hosts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.apps.source import Source
from lab.errors import TopologyError
from lab.topology import Lab

_BUNDLE_VARIABLES = ("LAB_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_LOCAL_CAS = Path("/usr/local/share/ca-certificates")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True)
class Context:
    """What the steps are made from.

    Attributes:
        lab: the topology.
        source: the app; None while a box without an app is built.
        ca_bundle: certificates in PEM that the hosts shall trust besides their own; empty for none.
        proxies: variables as http_proxy that the hosts shall have; empty for none.
    """

    lab: Lab
    source: Source | None
    ca_bundle: str = ""
    proxies: Mapping[str, str] = field(default_factory=dict)


def context_for(lab: Lab, source: Source | None) -> Context:
    """The context on this computer.

    Raises:
        TopologyError: `ca_bundle` names a file that is not there, or holds no certificate.
    """
    return Context(lab, source, _ca_bundle(lab), _proxies(lab))


def _ca_bundle(lab: Lab) -> str:
    """The certificates that the user named; else those that this computer's owner added to its own."""
    if lab.ca_bundle:
        return _named_bundle(Path(lab.ca_bundle).expanduser())
    for variable in _BUNDLE_VARIABLES:
        path = Path(os.environ.get(variable, ""))
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace")
    local = sorted(_LOCAL_CAS.glob("**/*.crt")) if _LOCAL_CAS.is_dir() else []
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").strip() for path in local)


def _named_bundle(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as fault:
        raise TopologyError(f"lab.toml: ca_bundle: {path}: {fault.strerror}", "name a file in PEM format") from None
    if "BEGIN CERTIFICATE" not in text:
        raise TopologyError(f"lab.toml: ca_bundle: {path} holds no certificate", "name a file in PEM format")
    return text


def _proxies(lab: Lab) -> dict[str, str]:
    found = {name: os.environ.get(name, os.environ.get(name.upper(), "")) for name in _PROXIES}
    found = {name: value for name, value in found.items() if value}
    if not found.keys() - {"no_proxy"}:
        return {}
    own = [lab.domain, "localhost", "127.0.0.1", *(str(host.address) for host in lab.hosts)]
    return {**found, "no_proxy": ",".join(filter(None, [found.get("no_proxy", ""), *own]))}
