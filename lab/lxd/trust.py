"""Trust between this computer and an LXD elsewhere: from a token that `lxc config trust add` printed to three files.

The token carries the fingerprint of the server's certificate, so that it is known before anything is sent, and a secret
that is good for one certificate of ours.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab import process
from lab.errors import EnvironmentProblem, UsageError
from lab.lxd.client import CLIENT_CRT, CLIENT_KEY, CONNECT_S, SERVER_CRT, LxdFailed, trusted_by
from lab.topology import Engine

DAYS = 3650
MEND = "`lxc config trust add --name lab` on that computer prints a new one"
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Token:
    """What a trust token says.

    Attributes:
        fingerprint: SHA-256 of the server's certificate, in hexadecimal digits.
        addresses: where the server listens, as "10.0.0.1:8443".
        text: the whole, which is what the server wants to see.
    """

    fingerprint: str
    addresses: tuple[str, ...]
    text: str


def parse(text: str, now: datetime | None = None) -> Token:
    """A token out of what `lxc config trust add` prints.

    Args:
        text: base64 of JSON; blanks around it do no harm.
        now: for its expiry; None is the present.

    Raises:
        UsageError: it is damaged, or has expired.
    """
    try:
        text = "".join(text.split())
        told = json.loads(base64.b64decode(text, validate=True))
        addresses = tuple(map(str, told["addresses"]))
        token, secret = Token(str(told["fingerprint"]), addresses, text), str(told["secret"])
        expires = str(told.get("expires_at") or "0001")
        until = None if expires.startswith("0001") else datetime.fromisoformat(expires.replace("Z", "+00:00"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError("the trust token is damaged: it is not what `lxc config trust add` prints", MEND) from None
    if not _FINGERPRINT.fullmatch(token.fingerprint) or not addresses or not secret:
        raise UsageError("the trust token is damaged: it names no server, or no secret", MEND)
    if until is not None and until < (now or datetime.now(UTC)):
        raise UsageError(f"the trust token has expired at {until:%Y-%m-%d %H:%M} UTC", MEND)
    return token


def join(text: str, folder: Path) -> Engine:
    """Make the server of a token trust this computer, and write down how to reach it; the engine to put into lab.toml.

    Args:
        text: the token.
        folder: gets client.crt, client.key and server.crt; a pair of ours that is there already is used.

    Raises:
        UsageError: the token is damaged, has expired, or was used already.
        EnvironmentProblem: no server of the token answers, or none with its certificate; nothing was sent.
    """
    token = parse(text)
    address, certificate = _met(token)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make_pair(folder)
    (folder / SERVER_CRT).write_text(certificate, encoding="ascii")
    engine = Engine(url=f"https://{address}", trust=str(folder))
    try:
        trusted_by(engine, folder, token.text)
    except LxdFailed as fault:
        if fault.code in (400, 401, 403, 404):
            raise UsageError(
                f"https://{address}: refuses the token, which was used or withdrawn already", MEND
            ) from None
        raise
    return engine


def _met(token: Token) -> tuple[str, str]:
    """The first address that answers with the certificate of the token, and that certificate.

    A server that listens at all its addresses names those of its bridges too, which are others' here.
    """
    silent, strange = [], []
    for address in token.addresses:
        try:
            shown = _certificate_of(address)
        except OSError as fault:
            silent.append(f"{address} ({fault.strerror or fault})")
            continue
        if hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest() == token.fingerprint:
            return address, shown
        strange.append(f"https://{address}")
    if strange:
        raise EnvironmentProblem(
            f"{', '.join(strange)}: shows another certificate than the token names, so nothing was sent to it", MEND
        )
    raise EnvironmentProblem(
        f"no server of the token answers within {CONNECT_S:.0f} s: {', '.join(silent)}",
        "is this computer in its network, and does its firewall let the port through?",
    )


def _certificate_of(address: str) -> str:
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is compared with the token's
    place = (host.strip("[]"), int(port))
    with socket.create_connection(place, timeout=CONNECT_S) as plain, context.wrap_socket(plain) as secured:
        shown = secured.getpeercert(binary_form=True)
    if not shown:
        raise OSError("no certificate")
    return ssl.DER_cert_to_PEM_cert(shown)


def _make_pair(folder: Path) -> None:
    key, certificate = folder / CLIENT_KEY, folder / CLIENT_CRT
    if key.exists() and certificate.exists():
        return
    key.touch(mode=0o600)
    process.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-nodes", "-sha384",
        "-days", str(DAYS), "-subj", f"/O=failover-lab/CN={socket.gethostname()[:50]}", "-keyout", key,
        "-out", certificate,
    )  # fmt: skip
    key.chmod(0o600)
