"""The site's line in /etc/hosts: one, marked, and everything else byte for byte as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config, hosts_file, process
from lab.errors import EnvironmentProblem, UsageError
from lab.hosts_file import line_for, with_line, without_line
from lab.topology import Lab

LINE = "192.168.56.10 akuma.xyz  # lab: akuma.xyz"
FILES = [
    "",
    "127.0.0.1 localhost\n",
    "127.0.0.1\tlocalhost  \n\n# a comment\n::1 ip6-localhost\n",
    "127.0.0.1 localhost\r\n10.0.0.1 akuma.xyz # mine\r\n",
    "127.0.0.1 localhost\x0c\x85\u2028 end\n",
]


def test_the_line_names_address_and_domain() -> None:
    """And bears a mark, by which it is found again."""
    assert line_for(Lab()) == LINE


@pytest.mark.parametrize("text", FILES)
def test_the_line_is_added_at_the_end_and_taken_out_again(text: str) -> None:
    """Nothing else changes."""
    written = with_line(text, Lab())
    assert written == text + LINE + "\n"
    assert without_line(written, Lab()) == text


@pytest.mark.parametrize("text", FILES)
def test_doing_it_twice_is_doing_it_once(text: str) -> None:
    """Both ways."""
    once = with_line(text, Lab())
    assert with_line(once, Lab()) == once
    assert without_line(text, Lab()) == text


def test_a_file_without_a_last_newline_gets_one() -> None:
    """Else the line would be glued to the last."""
    assert with_line("127.0.0.1 localhost", Lab()) == f"127.0.0.1 localhost\n{LINE}\n"


def test_a_new_address_replaces_the_old_line() -> None:
    """There is one line for a domain; another lab's line stays."""
    other = config.parse({"domain": "other.xyz"})
    moved = config.parse(
        {
            "subnet": "10.0.0.0/24",
            "host": [
                {"name": "akuma", "address": "10.0.0.9", "roles": ["balancer"]},
                {"name": "voxy", "address": "10.0.0.8", "roles": ["backend"]},
            ],
        }
    )
    text = with_line(with_line("a\n", Lab()), other)
    assert with_line(text, moved) == f"a\n{line_for(other)}\n10.0.0.9 akuma.xyz  # lab: akuma.xyz\n"


def test_a_domain_that_ends_like_ours_is_not_ours() -> None:
    """`my-akuma.xyz` belongs to somebody else."""
    line = "10.0.0.1 my-akuma.xyz  # lab: my-akuma.xyz\n"
    assert without_line(line, Lab()) == line


def test_a_named_labs_line_is_its_own(tmp_path: Path) -> None:
    """Writing and removing it leaves the line of the lab without a name, and of other names."""
    other = config.parse({"domain": "other.xyz"})
    text = with_line(with_line("a\n", Lab()), other, "b")
    assert text == f"a\n{LINE}\n192.168.56.10 other.xyz  # lab b: other.xyz\n"
    assert without_line(text, other) == without_line(text, other, "c") == text
    assert without_line(text, other, "b") == f"a\n{LINE}\n"
    assert with_line(text, other, "b") == text


@pytest.mark.parametrize(("first", "second"), [("", "b"), ("b", ""), ("b", "c")])
def test_a_domain_is_one_labs(first: str, second: str) -> None:
    """A second lab does not take it from the first, which is named with the way out."""
    text = with_line("a\n", Lab(), first)
    with pytest.raises(UsageError) as caught:
        with_line(text, Lab(), second)
    assert f"the lab {first or 'without a name'} already" in caught.value.message
    assert "hosts --remove" in caught.value.mend


def test_the_file_is_written_by_root_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through tee, for /etc/hosts may be a mount of its own."""
    told: list[tuple[tuple[object, ...], str]] = []
    monkeypatch.setattr(process, "as_root", lambda *argv, stdin: told.append((argv, stdin)))
    hosts_file.replace("text")
    assert told == [(("tee", hosts_file.HOSTS), "text")]


def test_a_file_that_is_not_utf_8_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written back as it was is not read; the error names the file."""
    odd = tmp_path / "hosts"
    odd.write_bytes(b"127.0.0.1 caf\xe9\n")
    monkeypatch.setattr(hosts_file, "HOSTS", odd)
    with pytest.raises(EnvironmentProblem, match="cannot be read"):
        hosts_file.read()
