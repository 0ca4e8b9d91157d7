"""The room's lab.toml: the lab as it is, written so that it reads back as the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab import config
from lab.packing.lab_toml import toml_for
from lab.topology import Lab
from tests.fakes import default_hosts, five_hosts


@pytest.mark.parametrize(
    "lab",
    [Lab(), five_hosts(), config.parse({"dns": ["192.168.1.1"], "lang": "id", "versions": {"node": "20"}}),
     config.parse({"app": {"name": "my \"app\" in C:\\x", "mode": "build"}, "host": default_hosts()})],
)  # fmt: skip
def test_it_reads_back_as_the_same_lab(lab: Lab) -> None:
    """With every host, weight and list; it does without internet."""
    found = config.parse_text(toml_for(lab, lab.app.name, "lxc").decode())
    assert found == replace(lab, provider="lxc", offline=True)


def test_only_what_differs_is_written() -> None:
    """A built-in lab is two lines and a comment."""
    lines = toml_for(Lab(), "dumbsound", "lxc").decode().splitlines()
    assert lines[1:] == ['provider = "lxc"', "offline = true"]


def test_certificates_of_this_computer_stay_here(tmp_path: Path) -> None:
    """They are a file that other computers do not have."""
    text = toml_for(config.parse({"ca_bundle": str(tmp_path / "ca.pem")}), "hello", "lxc").decode()
    assert "ca_bundle" not in text and 'name = "hello"' in text
