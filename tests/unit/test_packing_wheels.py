"""The lab as wheels: from pip where it is built, from its own files where it was installed."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lab import process
from lab.errors import CommandFailed, EnvironmentProblem, Result
from lab.packing import wheels as module
from lab.packing.wheels import own_wheel, packed_again, wheels


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip was asked for; it gives the lab's wheel and one more."""
    calls: list[list[str]] = []

    def run(*argv: object, timeout_s: float) -> Result:
        words = [str(word) for word in argv]
        calls.append(words)
        folder = Path(words[words.index("-w") + 1])
        folder.mkdir(exist_ok=True)
        for name in ("failover_lab-0.1.0", *(() if "--no-deps" in words else ("click-8.1",))):
            (folder / f"{name}-py3-none-any.whl").touch()
        return Result("pip", 0, "", "")

    monkeypatch.setattr(process, "run", run)
    return calls


def test_dependencies_are_gathered_once(asked: list[list[str]], tmp_path: Path) -> None:
    """The lab's own wheel is built each time, for its files change."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = [path.name for path in wheels(tmp_path / name)]
        assert found == ["failover_lab-0.1.0-py3-none-any.whl", "click-8.1-py3-none-any.whl"]
    assert ["--no-deps" in words for words in asked] == [True, False, True]
    assert asked[1][-1] == "pip"


def test_versions_are_those_that_are_installed_here(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """For these were tried; with another one pip is asked again."""
    pins = module._pins()
    assert f"click=={importlib.metadata.version('click')}\n" in pins
    assert "failover-lab" not in pins


def test_what_pip_cannot_get_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_cache: Path) -> None:
    """With pip's own; nothing half gathered stays."""

    def run(*argv: object, timeout_s: float) -> Result:
        raise CommandFailed("this computer", Result("pip", 1, "", "Looking…\nERROR: No matching distribution"))

    monkeypatch.setattr(process, "run", run)
    with pytest.raises(EnvironmentProblem, match="cannot be gathered with pip: ERROR: No matching") as caught:
        wheels(tmp_path)
    assert "\n" not in caught.value.message


def test_an_installed_package_is_its_wheel_again(tmp_path: Path) -> None:
    """pip installs it elsewhere without an index, and it is whole."""
    installed = importlib.metadata.distribution("mdurl")
    path = packed_again(installed, tmp_path)
    target = tmp_path / "there"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--isolated", "--no-index", "--no-deps", "-t", target, path],
        check=True, capture_output=True,
    )  # fmt: skip
    with zipfile.ZipFile(path) as wheel:
        assert wheel.testzip() is None
        assert not [name for name in wheel.namelist() if "__pycache__" in name or name.endswith("INSTALLER")]
    assert (target / "mdurl" / "_encode.py").read_bytes() == Path(
        str(installed.locate_file("mdurl/_encode.py"))
    ).read_bytes()


def test_an_installed_lab_is_not_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no checkout there is nothing to build from."""
    monkeypatch.setattr(module.content, "root", lambda: tmp_path)  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "packed_again", lambda installed, folder: folder / installed.metadata["Name"])
    assert own_wheel(tmp_path).name == "failover-lab"
