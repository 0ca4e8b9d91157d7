"""What a check may look at: the site from outside, and each host over SSH. It asks; it changes nothing.

Every question has a deadline, so that a server which hangs costs a check a second or two, and not sixty.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lab.errors import CommandFailed, HostUnreachable, Result
from lab.host import Host
from lab.topology import Lab
from lab.verdict import Verdict

VISIT_S = 1.5
"""How long a visitor waits for an answer."""
COMMAND_S = 10.0
BODY_BYTES = 65536
CLOCKS_S = 0.02
"""A worker's start is known to a hundredth of a second, and so is the time of the boot."""
PATIENCE = 3
"""After so many visits in a row without any answer the others are not made."""
_NOTED = re.compile(r"(?m)^[ \t]*(\w+)(?:[ \t]*[:.)=-]+|[ \t])[ \t]*(.*?)[ \t]*$")
_AGES = r"""
    now=$(date +%s.%N); read up idle < /proc/uptime
    for pid in $(pgrep -f "^nginx: worker"); do
        awk -v now="$now" -v up="$up" '{printf "worker %.3f nginx\n", now - up + $22 / 100}' /proc/$pid/stat
    done
    find /etc/nginx -type f -printf 'file %C@ %p\n'
"""
"""When nginx's workers began, and when its files were changed, in Unix time; field 22 is in hundredths of a second."""
_SHAPE = r"%{stderr}\nlab-visit: %{http_code} %{time_total} %{header_json}"
"""Apart from the body, which may be cut off, and may say anything."""
_TOLD = re.compile(
    r"^lab-visit: (?P<status>\d{3}) (?P<seconds>[\d.]+) (?P<headers>\{.*?^\})?", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Answer:
    """What a visitor got.

    Attributes:
        status: of HTTP; 0 when there was no answer.
        error: why there was none: `refused`, `timeout`, `unreachable`, `unknown-name`, `broken`; else empty.
        headers: names in lower case.
        text: the body, at most 64 KiB of it.
        seconds: from the question to the end of the answer.
    """

    status: int = 0
    error: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    seconds: float = 0.0

    @property
    def served_by(self) -> str:
        """Which host's application answered, as the app `hello` says; empty when nothing says it."""
        return self.headers.get("x-served-by", "")

    def __str__(self) -> str:
        return f"{self.status}" if self.status else self.error


@dataclass(frozen=True)
class Service:
    """A systemd unit as it is."""

    is_running: bool
    is_enabled: bool


@dataclass(frozen=True)
class NginxTest:
    """What `nginx -t` says.

    Attributes:
        ok: whether it accepts the configuration.
        is_missing: whether there is no nginx to ask.
        complaint: the line that names the fault, without its time; empty when there is none.
    """

    ok: bool
    is_missing: bool
    complaint: str


class Place:
    """A host as a check sees it."""

    def __init__(self, host: Host, address: str) -> None:
        self.name = host.name
        self.address = address
        self._host = host

    def sh(self, command: str, *args: object, root: bool = False, user: str = "") -> Result:
        """Run a shell command that only looks; each `%s` is replaced by an argument, quoted. Never raises for its end.

        Raises:
            HostUnreachable: the host lets nobody in.
        """
        return self._host.run(command, *args, root=root, user=user, check=False, timeout_s=COMMAND_S)

    def read(self, path: str) -> str | None:
        """The text of a file, at most 256 KiB of it; None when there is none."""
        shown = self.sh("test -f %s && head -c 262144 %s", path, path, root=True)
        return shown.stdout if shown.ok else None

    def service(self, name: str) -> Service:
        """A systemd unit."""
        said = self.sh("systemctl is-active %s; systemctl is-enabled %s", name, name).stdout.split()
        return Service("active" in said[:1], "enabled" in said[1:])

    def listens_on(self, port: int) -> tuple[str, ...]:
        """The addresses at which something listens on a TCP port: `0.0.0.0`, `127.0.0.1`, `[::]`, …"""
        lines = self.sh("ss -Hltn sport = :%s", port).stdout.splitlines()
        return tuple(sorted({line.split()[3].rpartition(":")[0] for line in lines}))

    def note(self, path: str) -> dict[str, str] | None:
        """A note with lines as `1: b`, also `1) b` or `1 = b`, in lower case; None without the file."""
        text = self.read(path)
        return None if text is None else dict(_NOTED.findall(text.lower()))

    def nginx_test(self) -> NginxTest:
        """What `nginx -t` says."""
        said = self.sh("nginx -t", root=True)
        lines = said.stderr.splitlines() or ["?"]
        line = next((line for line in lines if "[emerg]" in line), lines[0])
        complaint = "" if said.ok else re.sub(r"^.*\[emerg\] (\d+#\d+: )?", "", line)[:200]
        return NginxTest(said.ok, said.code == 127, complaint)

    def nginx_unread(self) -> str:
        """A file that is younger than nginx's workers, which a reload replaces; empty when it has read all."""
        began: list[tuple[float, str]] = []
        files: list[tuple[float, str]] = []
        for line in self.sh(_AGES, root=True).stdout.splitlines():
            kind, at, path = line.split(" ", 2)
            (began if kind == "worker" else files).append((float(at), path))
        newest = max(files, default=(0.0, ""))
        return newest[1] if began and newest[0] > max(began)[0] + CLOCKS_S else ""

    def nginx_config(self) -> str:
        """All that nginx would read, from `nginx -T`; empty when it is no configuration."""
        shown = self.sh("nginx -T 2>/dev/null", root=True)
        return shown.stdout if shown.ok else ""

    def visit(self, url: str, *, name: str = "", follow: bool = False) -> Answer:
        """Ask a URL from this host; `name` is the Host header."""
        host = ["-H", f"Host: {name}"] if name else []
        words = ["-sS", *["-L"] * follow, "--max-time", f"{VISIT_S:g}", *host, "-w", _SHAPE, "--", url]
        shown = self.sh(f"curl{' %s' * len(words)} | head -c 66560", *words)
        told = _TOLD.search(shown.stderr)
        if not told or told["status"] == "000":
            return Answer(error=_error_of(shown.stderr))
        return Answer(int(told["status"]), "", _headers_of(told["headers"] or ""), shown.stdout, float(told["seconds"]))


class Scene:
    """The machines as a check sees them, and what is the student's own.

    Attributes:
        domain, port: the site's name, and where the application listens.
        token: 12 hexadecimal digits that are this student's in this exercise.
        fault: which of the exercise's faults the student has; empty when it has none.
    """

    def __init__(
        self, lab: Lab, open_host: Callable[[str], Host], *, token: str, fault: str, since: float,
        scenarios: Callable[[str], Verdict], reboots: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.lab = lab
        self.domain = lab.domain
        self.port = lab.app.port
        self.token = token
        self.fault = fault
        self.since = since
        self._open = open_host
        self._scenarios = scenarios
        self._reboots = reboots

    def __getitem__(self, name: str) -> Place:
        """A host of the lab."""
        return Place(self._open(name), str(self.lab[name].address))

    def visit(self, host: str = "akuma", *, port: int = 80, path: str = "/", name: str = "") -> Answer:
        """Ask a host from this computer, on a new connection; `name` is the Host header, by default the address."""
        address = str(self.lab[host].address)
        began = time.monotonic()
        connection = http.client.HTTPConnection(address, port, timeout=VISIT_S)
        try:
            connection.request("GET", path, headers={"Host": name or address, "Connection": "close"})
            answer = connection.getresponse()
            body = _body(answer, began + VISIT_S).decode(errors="replace")
        except (OSError, http.client.HTTPException) as fault:
            return Answer(error=_kind_of(fault), seconds=time.monotonic() - began)
        finally:
            connection.close()
        headers = {key.lower(): value for key, value in answer.getheaders()}
        return Answer(answer.status, "", headers, body, time.monotonic() - began)

    def visits(self, times: int, host: str = "akuma", **options: object) -> tuple[Answer, ...]:
        """Ask again and again. Fewer answers come back when three in a row never came."""
        found: list[Answer] = []
        for _ in range(times):
            found.append(self.visit(host, **options))  # type: ignore[arg-type]  # the same as visit's
            if len(found) >= PATIENCE and not any(answer.status for answer in found[-PATIENCE:]):
                break
        return tuple(found)

    def is_on(self, host: str) -> bool:
        """Whether a host lets us in."""
        try:
            return self[host].sh("true").ok
        except (HostUnreachable, CommandFailed):
            return False

    def run_scenario(self, name: str) -> Verdict:
        """Run a scenario on the student's machines; only in a check with `full=True`.

        Where it cannot even begin, as with a backend that does not serve, the verdict is INCONCLUSIVE and says why.
        """
        return self._scenarios(name)

    def reboot(self, host: str) -> None:
        """Shut a host down and start it again, until it lets us in; only in a check with `full=True`."""
        self._reboots(host)


def _body(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """At most 64 KiB; a server that sends a byte now and then has until the deadline too.

    Raises:
        TimeoutError: it came too slowly.
        http.client.IncompleteRead: it ended before the length that was announced.
    """
    body = b""
    while len(body) < BODY_BYTES and (part := answer.read1(BODY_BYTES - len(body))):
        body += part
        if time.monotonic() > deadline:
            raise TimeoutError
    if len(body) < BODY_BYTES and answer.length:
        raise http.client.IncompleteRead(body)
    return body


def _kind_of(fault: Exception) -> str:
    if isinstance(fault, ConnectionRefusedError):
        return "refused"
    if isinstance(fault, TimeoutError):
        return "timeout"
    if isinstance(fault, OSError) and not isinstance(fault, (ConnectionError, socket.gaierror)):
        return "unreachable"
    return "broken"


_SAYINGS = {
    "refused": "refused",
    "connect to server": "refused",
    "timed out": "timeout",
    "not resolve": "unknown-name",
    "No route": "unreachable",
}


def _error_of(said: str) -> str:
    return next((word for part, word in _SAYINGS.items() if part in said), "broken")


def _headers_of(text: str) -> dict[str, str]:
    """Curl's own JSON: name → list of values."""
    try:
        return {name.lower(): ", ".join(values) for name, values in json.loads(text).items()}
    except ValueError:
        return {}
