"""The door to an LXD: every way in which it stays closed is said in one sentence that names the place."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import process
from lab.errors import EnvironmentProblem, LabError, MissingTool, NoPermission
from lab.lxd import client, trust
from lab.lxd.client import LxdFailed, connect
from lab.topology import Engine
from tests.unit.lxd_server import LxdServer, Refusal, lxd_server

__all__ = ["lxd_server"]


def test_what_it_says_and_what_is_counted(lxd_server: LxdServer) -> None:
    """A question is one request; work that takes a while is two."""
    lxd_server.answers = {("GET", "networks"): ["a"], ("POST", "networks"): None}
    lxd = lxd_server.lxd()
    assert (lxd.server_name, lxd.is_clustered, lxd.can("network_acl"), lxd.can("x")) == ("m1", False, True, False)
    calls = lxd.calls
    assert lxd.get("networks", recursion=1, all_projects="true", target="") == ["a"]
    assert lxd_server.told[-1][:2] == ("GET", "networks?recursion=1&all-projects=true")
    lxd.post("networks", {"name": "b"})
    assert lxd.calls - calls == 3


@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
def test_a_refusal_is_told_in_its_own_words(lxd_server: LxdServer, later: bool) -> None:
    """With the socket and the request."""
    lxd_server.answers = {("POST", "networks"): Refusal(400, "No-room", later=later)}
    with pytest.raises(LxdFailed, match=r"unix.socket: POST networks: No-room") as caught:
        lxd_server.lxd().post("networks", {})
    assert caught.value.code == 400
    assert not caught.value.is_missing and not caught.value.is_there_already


def test_what_is_not_there(lxd_server: LxdServer) -> None:
    """Is no failure where one only looks, or removes."""
    lxd = lxd_server.lxd()
    assert lxd.find("projects/x") is None
    assert lxd.delete("projects/x") is False
    with pytest.raises(LxdFailed) as caught:
        lxd.get("projects/x")
    assert caught.value.is_missing


def test_other_failures_are_never_taken_for_absence(lxd_server: LxdServer) -> None:
    """Where one only looks, and where one removes."""
    lxd_server.answers = {(verb, "projects/x"): Refusal(500, "disk I/O error") for verb in ("GET", "DELETE")}
    lxd = lxd_server.lxd()
    for act in (lxd.find, lxd.delete):
        with pytest.raises(LxdFailed, match="disk I/O error"):
            act("projects/x")


def test_no_lxd_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not installed, or installed and not running."""
    monkeypatch.setenv("LXD_DIR", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MissingTool, match=r"unix.socket: LXD is not installed") as caught:
        connect(Engine(), tmp_path)
    assert "apt-get install lxd" in caught.value.mend
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/lxd")
    with pytest.raises(EnvironmentProblem, match=r"unix.socket: LXD does not run"):
        connect(Engine(), tmp_path)


def test_a_socket_that_is_not_for_us(lxd_server: LxdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group is named."""

    def forbid(self: socket.socket, place: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", forbid)
    with pytest.raises(NoPermission, match="may not be opened by this user") as caught:
        lxd_server.lxd()
    assert "usermod -aG lxd" in caught.value.mend


def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is given up at the deadline."""
    monkeypatch.setattr(client, "CONNECT_S", 0.2)
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen()
        with pytest.raises(EnvironmentProblem, match="LXD did not answer within"):
            connect(Engine(url=str(path)), tmp_path)


def test_one_that_does_not_trust_us(lxd_server: LxdServer) -> None:
    """Is told apart from one that is not there."""
    lxd_server.info["auth"] = "untrusted"
    with pytest.raises(EnvironmentProblem, match="does not trust the certificate") as caught:
        lxd_server.lxd()
    assert "lab engine join" in caught.value.mend


def pair(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate and its key."""
    made = folder / f"{name}.crt", folder / f"{name}.key"
    process.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", f"/CN={name}", "-out", made[0], "-keyout", made[1],
    )  # fmt: skip
    return made


class Https:
    """Takes connections with a certificate, and notes what is sent to it."""

    def __init__(self, folder: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair(folder, "server"))
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(context,))
        self._thread.start()

    def _serve(self, context: ssl.SSLContext) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(5)
                try:
                    with context.wrap_socket(plain, server_side=True) as secured:
                        self.heard.append(secured.recv(4096))
                except OSError:
                    self.heard.append(b"")

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def https(tmp_path: Path) -> Iterator[Https]:
    """One for a test."""
    made = Https(tmp_path)
    yield made
    made.close()


def test_another_certificate_than_the_pinned_one_gets_nothing(https: Https, tmp_path: Path) -> None:
    """Not a byte of a request."""
    pair(tmp_path, "client")
    other, _ = pair(tmp_path, "other")
    pinned = tmp_path / "server.crt"
    ours = pinned.read_bytes()
    pinned.write_bytes(other.read_bytes())
    engine = Engine(url=f"https://127.0.0.1:{https.port}", trust=".")
    with pytest.raises(EnvironmentProblem, match=rf"{https.port}: shows another certificate than .*server.crt"):
        connect(engine, tmp_path)
    assert b"".join(https.heard) == b""
    pinned.write_bytes(ours)
    with pytest.raises(LabError) as caught:  # it hangs up, but was asked
        connect(engine, tmp_path)
    assert "another certificate" not in str(caught.value)
    assert https.heard[-1].startswith(b"GET /1.0 ")


def test_a_token_may_name_addresses_that_are_others_here(
    https: Https, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server's bridges have addresses that other computers have too: the certificate says who is meant."""
    (tmp_path / "elsewhere").mkdir()
    stranger = Https(tmp_path / "elsewhere")
    try:
        right, wrong = f"127.0.0.1:{https.port}", f"127.0.0.1:{stranger.port}"
        silent = f"127.0.0.1:{closed_port()}"
        monkeypatch.setattr(trust, "trusted_by", lambda engine, folder, token: None)
        engine = trust.join(_token(tmp_path, silent, wrong, right), tmp_path / "trust")
        assert engine.url == f"https://{right}"
        assert (tmp_path / "trust" / "server.crt").read_text() == (tmp_path / "server.crt").read_text()
        with pytest.raises(EnvironmentProblem, match=f"https://{wrong}: shows another certificate than the token"):
            trust.join(_token(tmp_path, silent, wrong), tmp_path / "trust")
        with pytest.raises(EnvironmentProblem, match=f"no server of the token answers within 5 s: {silent}"):
            trust.join(_token(tmp_path, silent), tmp_path / "trust")
    finally:
        stranger.close()
    assert b"".join(stranger.heard) == b""


def closed_port() -> int:
    """A port of this computer at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _token(folder: Path, *addresses: str) -> str:
    """A token of the server whose certificate is in a folder."""
    shown = ssl.PEM_cert_to_DER_cert((folder / "server.crt").read_text())
    told = {"fingerprint": hashlib.sha256(shown).hexdigest(), "addresses": addresses, "secret": "s"}
    return base64.b64encode(json.dumps(told).encode()).decode()


def test_keys_that_are_missing_or_damaged(tmp_path: Path) -> None:
    """The file is named before anybody is asked."""
    engine = Engine(url="https://127.0.0.1:9", trust="t")
    with pytest.raises(EnvironmentProblem, match=r"there is no .*t/client.crt"):
        connect(engine, tmp_path)
    (tmp_path / "t").mkdir()
    for name in client.TRUST_FILES:
        (tmp_path / "t" / name).write_text("broken")
    with pytest.raises(EnvironmentProblem, match=r"https://127\.0\.0\.1:9: "):
        connect(engine, tmp_path)


def test_a_dead_member_of_the_cluster_has_a_mend() -> None:
    """LXD says only that it is down."""
    fault = LxdFailed("https://m1:8443", "DELETE networks/labn00001", 500, "peer node 10.0.0.3:8443 is down")
    assert "lxc cluster remove --force" in fault.mend
    assert LxdFailed("https://m1:8443", "DELETE networks/labn00001", 500, "it is in use").mend == ""
