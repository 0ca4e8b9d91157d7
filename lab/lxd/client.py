"""The door to an LXD: a socket of this computer, or https to one whose certificate is pinned. The only user of pylxd.

Every call has a deadline, and whatever goes wrong is said in one sentence that names the place.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from lab.errors import EnvironmentProblem, MissingTool, NoPermission
from lab.topology import Engine

CONNECT_S = 5.0
ANSWER_S = 30.0
"""For a question; a cluster that has just lost its leader takes some seconds over its next answer."""
DONE_S = 120.0
"""For an operation, unless the caller says otherwise."""
SOCKETS = (
    Path("/var/lib/lxd/unix.socket"), Path("/var/snap/lxd/common/lxd/unix.socket"),
    Path("/var/lib/incus/unix.socket"),
)  # fmt: skip
CLIENT_CRT, CLIENT_KEY, SERVER_CRT = TRUST_FILES = ("client.crt", "client.key", "server.crt")


_DEAD_MEMBER = "switch that member on, or give it up: lxc cluster remove --force MEMBER; then again"
"""LXD makes and removes a network on all members or on none."""


class LxdFailed(EnvironmentProblem):
    """LXD refused something, or could not do it.

    Attributes:
        code: HTTP's, or that of an operation; 0 for no answer.
        said: LXD's own words.
    """

    def __init__(self, place: str, what: str, code: int, said: str, mend: str = "") -> None:
        mend = mend or (_DEAD_MEMBER if "peer node" in said and "is down" in said else "")
        super().__init__(f"{place}: {what}: {said}", mend)
        self.code = code
        self.said = said

    @property
    def is_missing(self) -> bool:
        """Whether there is no such thing."""
        return self.code == 404 or "not found" in self.said.lower()

    @property
    def is_there_already(self) -> bool:
        """Whether a thing of that name exists."""
        return self.code == 409 or "already exists" in self.said.lower()

    @property
    def is_busy(self) -> bool:
        """Whether LXD is still at work at that machine, and may be asked again."""
        return "busy running" in self.said.lower()


class Lxd:
    """An LXD that lets us in.

    Args:
        client: pylxd's.
        place: the socket or the URL, for sentences.

    Attributes:
        info: what it said of itself: `environment`, `api_extensions`, `config`.
        calls: how many requests were made so far.
    """

    def __init__(self, client: Any, place: str) -> None:
        self._client = client
        self._counting = Lock()
        self.place = place
        self.info: dict[str, Any] = client.host_info
        self.calls = 1

    @property
    def server_name(self) -> str:
        """What the server that answers is called."""
        return str(self.info["environment"]["server_name"])

    @property
    def is_clustered(self) -> bool:
        """Whether it is a member of a cluster."""
        return bool(self.info["environment"].get("server_clustered"))

    def can(self, extension: str) -> bool:
        """Whether its API has an extension."""
        return extension in self.info["api_extensions"]

    def get(self, path: str, *, within_s: float = ANSWER_S, **query: str | int) -> Any:
        """What is at a path below /1.0.

        Args:
            path: without a slash before it; empty for /1.0 itself.
            within_s: the deadline.
            query: what stands after the question mark, with `_` for `-`; what is empty is left out.

        Raises:
            LxdFailed: it is not there, or LXD does not answer in time.
        """
        return self._asked("get", path, None, query, within_s).json()["metadata"]

    def find(self, path: str, *, within_s: float = ANSWER_S, **query: str | int) -> Any | None:
        """The same; None when nothing is there."""
        try:
            return self.get(path, within_s=within_s, **query)
        except LxdFailed as fault:
            if fault.is_missing:
                return None
            raise

    def text(self, path: str, **query: str | int) -> str:
        """A file at a path."""
        return str(self._asked("get", path, None, query, ANSWER_S, is_api=False).text)

    def post(self, path: str, body: Any, *, within_s: float = DONE_S, **query: str | int) -> dict[str, Any]:
        """Make something and wait until it is done; the finished operation, or nothing where LXD was done at once."""
        return self._done(self._asked("post", path, body, query, within_s), f"POST {path}", within_s)

    def put(self, path: str, body: Any, *, within_s: float = DONE_S, **query: str | int) -> dict[str, Any]:
        """Change something and wait until it is done."""
        return self._done(self._asked("put", path, body, query, within_s), f"PUT {path}", within_s)

    def patch(self, path: str, body: Any, *, within_s: float = DONE_S, **query: str | int) -> dict[str, Any]:
        """Change a part of something."""
        return self._done(self._asked("patch", path, body, query, within_s), f"PATCH {path}", within_s)

    def delete(self, path: str, *, within_s: float = DONE_S, **query: str | int) -> bool:
        """Remove something; whether it was there."""
        try:
            self._done(self._asked("delete", path, None, query, within_s), f"DELETE {path}", within_s)
        except LxdFailed as fault:
            if fault.is_missing:
                return False
            raise
        return True

    def upload(self, path: str, files: Collection[tuple[str, Path]], *, within_s: float) -> dict[str, Any]:
        """Post files as a form, as an image's two halves are."""
        from requests_toolbelt import MultipartEncoder

        opened = {field: (file.name, file.open("rb"), "application/octet-stream") for field, file in files}
        try:
            form = MultipartEncoder(opened)
            answer = self._asked(
                "post", path, None, {}, within_s, data=form, headers={"Content-Type": form.content_type}
            )
        finally:
            for _, file, _ in opened.values():
                file.close()
        return self._done(answer, f"POST {path}", within_s)

    def _asked(self, verb: str, path: str, body: Any, query: Any, within_s: float, **more: Any) -> Any:
        import requests
        from pylxd import exceptions

        with self._counting:
            self.calls += 1
        more |= {} if body is None else {"json": body}
        what = f"{verb.upper()} {path}"
        try:
            act = getattr(self._client.api[path] if path else self._client.api, verb)
            return act(
                params={key.replace("_", "-"): value for key, value in query.items() if value},
                timeout=(CONNECT_S, within_s),
                **more,
            )
        except exceptions.LXDAPIException as fault:
            raise LxdFailed(self.place, what, fault.response.status_code, str(fault)) from None
        except requests.exceptions.Timeout:
            raise LxdFailed(self.place, what, 0, f"no answer within {within_s:.0f} s", _DOCTOR) from None
        except (requests.exceptions.RequestException, OSError) as fault:
            raise _unreachable(self.place, fault) from None

    def _done(self, answer: Any, what: str, within_s: float) -> dict[str, Any]:
        """Wait for the operation that an answer names."""
        told = answer.json()
        if told.get("type") != "async":
            return {}
        path = str(told["operation"]).removeprefix("/1.0/").partition("?")[0]
        done: dict[str, Any] = self.get(f"{path}/wait", within_s=within_s + CONNECT_S, timeout=int(within_s))
        if done["status_code"] == 200:
            return done
        late = done["status_code"] < 200
        said = f"not finished after {within_s:.0f} s" if late else str(done["err"])
        raise LxdFailed(self.place, what, done["status_code"], said)


def connect(engine: Engine, folder: Path) -> Lxd:
    """The LXD that a lab names.

    Args:
        engine: where it is.
        folder: of lab.toml; the trust folder is seen from there.

    Raises:
        MissingTool: there is no LXD on this computer.
        NoPermission: its socket is not for us.
        EnvironmentProblem: it does not answer within 5 s, shows another certificate than the pinned one, or does not
            trust ours.
    """
    if not engine.url.startswith("https:"):
        path = Path(engine.url) if engine.url else usual_socket()
        try_socket(path)
        return _opened(f"http+unix://{quote(str(path), safe='')}", str(path), None, None)
    trust = folder / engine.trust
    for name in TRUST_FILES:
        if not (trust / name).is_file():
            raise EnvironmentProblem(f"{engine.url}: there is no {trust / name} to log in with", _JOIN)
    cert = (str(trust / CLIENT_CRT), str(trust / CLIENT_KEY))
    return _opened(engine.url.rstrip("/"), engine.url.rstrip("/"), cert, trust / SERVER_CRT)


def trusted_by(engine: Engine, folder: Path, token: str) -> Lxd:
    """The same at the first meeting: the server is given the token that makes it trust our certificate.

    Raises:
        LxdFailed: it does not take the token.
        EnvironmentProblem: it shows another certificate than the pinned one; nothing was sent to it.
    """
    trust, url = folder / engine.trust, engine.url.rstrip("/")
    met = _met(url, url, (str(trust / CLIENT_CRT), str(trust / CLIENT_KEY)), trust / SERVER_CRT)
    if met.info.get("auth") != "trusted":
        met.post("certificates", {"type": "client", "password": token})
    return connect(engine, folder)


_DOCTOR = "lab doctor --provider lxd says what is lacking"
_JOIN = "lab engine join TOKEN; the token comes from `lxc config trust add --name lab` on the other computer"


def usual_socket() -> Path:
    """The socket of this computer's LXD: in LXD_DIR, or the first of the usual ones that is there."""
    if folder := os.environ.get("LXD_DIR"):
        return Path(folder) / "unix.socket"
    return next((path for path in SOCKETS if path.exists()), SOCKETS[0])


def try_socket(path: Path) -> None:
    """Raise, in one sentence, when nobody answers at a socket or it is not for us."""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(CONNECT_S)
            probe.connect(str(path))
    except PermissionError:
        raise NoPermission(
            f"{path}: LXD's socket may not be opened by this user", "sudo usermod -aG lxd $USER, then log in again"
        ) from None
    except (FileNotFoundError, ConnectionRefusedError, TimeoutError) as fault:
        installed = shutil.which("lxd") or shutil.which("incusd") or Path("/snap/bin/lxd").exists()
        if not installed:
            raise MissingTool(f"{path}: LXD is not installed", "sudo apt-get install lxd, then sudo lxd init") from None
        why = "does not answer" if isinstance(fault, TimeoutError) else "does not run"
        raise EnvironmentProblem(f"{path}: LXD {why}", "sudo systemctl start lxd") from None
    except OSError as fault:
        raise EnvironmentProblem(f"{path}: LXD's socket cannot be opened: {fault.strerror or fault}", _DOCTOR) from None


@lru_cache(maxsize=16)
def _opened(url: str, place: str, cert: tuple[str, str] | None, pin: Path | None) -> Lxd:
    found = _met(url, place, cert, pin)
    if found.info.get("auth") != "trusted":
        raise EnvironmentProblem(f"{place}: does not trust the certificate {cert[0] if cert else ''}", _JOIN)
    return found


def _met(url: str, place: str, cert: tuple[str, str] | None, pin: Path | None) -> Lxd:
    """One that may not trust us yet."""
    import pylxd
    import requests
    from pylxd import client, exceptions

    session = client.get_session_for_url(url, cert=cert, verify=str(pin) if pin else None)
    session.trust_env = False  # a proxy or a bundle of certificates from the environment would go round the pin
    try:
        found = pylxd.Client(endpoint=url, session=session, timeout=(CONNECT_S, CONNECT_S))
    except (exceptions.ClientConnectionFailed, requests.exceptions.RequestException, OSError, ValueError) as fault:
        raise _unreachable(place, fault, pin) from None
    except exceptions.LXDAPIException as fault:
        raise LxdFailed(place, "GET /1.0", fault.response.status_code, str(fault)) from None
    return Lxd(found, place)


def _unreachable(place: str, fault: Exception, pin: Path | None = None) -> EnvironmentProblem:
    said = str(fault)
    if "ingerprint" in said:
        return EnvironmentProblem(
            f"{place}: shows another certificate than {pin or 'the pinned one'}, so nothing was sent to it",
            "ask whoever runs it whether it was set up anew; then lab engine join TOKEN",
        )
    if "timed out" in said:
        return EnvironmentProblem(f"{place}: LXD did not answer within {CONNECT_S:.0f} s", _DOCTOR)
    if (pin is not None and isinstance(fault, ValueError | FileNotFoundError)) or "PEM" in said:
        return EnvironmentProblem(f"{place}: {pin} or the keys beside it are damaged: {said}", _JOIN)
    if "Connection refused" in said:
        return EnvironmentProblem(f"{place}: nobody listens there", "lxc config set core.https_address :8443 opens it")
    return EnvironmentProblem(f"{place}: LXD cannot be reached: {said}", _DOCTOR)
