"""The records of saves: names, what does not fit any more, and damage."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from lab import save_points
from lab.errors import EnvironmentProblem, UsageError
from lab.home import Home
from lab.save_points import Save, difference, load, names, places, valid_name, write
from lab.topology import App, Host, Lab, Role

SAVE = Save(
    "clean", "12345678", "2026-01-02T03:04:05+00:00", 7, places(Lab()), "lxc", "box-1", "hello", True, 3000,
    ("akuma", "voxy"), ("voxy",), "hello-web", "attempt-1", "just up",
)  # fmt: skip


def _host(name: str, last: int) -> Host:
    return Host(name=name, address=f"192.168.56.{last}", roles=(Role.BACKEND,))  # type: ignore[arg-type]  # parsed


def test_a_record_comes_back_as_it_was_written(home: Home) -> None:
    """And nobody else may read it."""
    write(home, SAVE)
    assert load(home, "clean") == SAVE
    assert (home.path / "saves" / "clean.json").stat().st_mode & 0o777 == 0o600
    assert (home.path / "saves").stat().st_mode & 0o777 == 0o700


def test_saves_are_told_from_the_oldest(home: Home) -> None:
    """Names by the alphabet."""
    write(home, SAVE)
    write(home, msgspec.structs.replace(SAVE, name="before", when="2026-01-01T00:00:00+00:00"))
    write(home, msgspec.structs.replace(SAVE, name="zoo", when="2026-01-02T00:00:00+00:00"))
    assert names(home) == ("before", "clean", "zoo")
    assert [each.name for each in save_points.every(home)] == ["before", "zoo", "clean"]


def test_an_unknown_name_gets_a_suggestion(home: Home) -> None:
    """Or the list; or what makes one."""
    with pytest.raises(UsageError) as caught:
        load(home, "clean")
    assert str(caught.value) == "there is no save 'clean'\n  → `lab save NAME` makes one"
    write(home, SAVE)
    with pytest.raises(UsageError, match="did you mean clean") as caught:
        load(home, "claen")
    with pytest.raises(UsageError, match="there are: clean") as caught:
        load(home, "xyz")


@pytest.mark.parametrize("name", ["", "A", "a b", "../a", "a/b", ".json", "-a", "a-", "x" * 33, "a.b"])
def test_a_name_is_a_label(name: str) -> None:
    """So it can be a file's, and a word on the command line."""
    with pytest.raises(UsageError, match="cannot be the name of a save"):
        valid_name(name)


@pytest.mark.parametrize("name", ["a", "0", "before-nginx", "x" * 32])
def test_a_label_is_a_name(name: str) -> None:
    """As it is."""
    assert valid_name(name) == name


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "clean"}', b"\xff"])
def test_a_damaged_record_is_named_with_its_mend(home: Home, text: str | bytes) -> None:
    """Nothing is guessed: what the machines keep for it would be lost."""
    home.write("saves/clean.json", "")
    (home.path / "saves" / "clean.json").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(EnvironmentProblem, match=r"clean\.json: is damaged") as caught:
        load(home, "clean")
    assert caught.value.mend == "`lab saves --remove clean` removes it"


@pytest.mark.parametrize(
    ("lab", "provider", "box", "expected"),
    [
        (Lab(), "lxc", "box-1", ""),
        (Lab(domain="other.xyz"), "lxc", "box-1", ""),
        (Lab(), "libvirt", "box-1", "the machines were lxc's and are libvirt's"),
        (Lab(), "lxc", "box-2", "the box was box-1 and is box-2"),
        (Lab(app=App(port=3001)), "lxc", "box-1", "the app's port was 3000 and is 3001"),
        (replace(Lab(), host=Lab().hosts[:2]), "lxc", "box-1", "zero is in it and not in lab.toml"),
        (replace(Lab(), host=(*Lab().hosts, _host("luna", 13))), "lxc", "box-1", "luna is in lab.toml and not in it"),
        (replace(Lab(), host=(*Lab().hosts[:2], _host("nova", 12))), "lxc", "box-1",
         "zero is in it and not in lab.toml"),
        (replace(Lab(), host=(*Lab().hosts[:2], _host("zero", 22))), "lxc", "box-1",
         "zero has another address or other roles in lab.toml"),
    ],
)  # fmt: skip
def test_what_has_become_otherwise(lab: Lab, provider: str, box: str, expected: str) -> None:
    """What the machines are made of counts; what a provision can mend does not."""
    assert difference(SAVE, lab, provider, box) == expected


def test_a_restore_under_way_is_written_down(home: Home) -> None:
    """Until it has ended; it is no save."""
    assert save_points.restoring(home) == ""
    save_points.end_restoring(home)
    save_points.begin_restoring(home, "clean")
    assert (save_points.restoring(home), names(home)) == ("clean", ())
    save_points.end_restoring(home)
    assert save_points.restoring(home) == ""


def test_ids_are_new() -> None:
    """Eight hexadecimal digits."""
    made = {save_points.new_id() for _ in range(50)}
    assert len(made) == 50
    assert all(len(id) == 8 and set(id) <= set("0123456789abcdef") for id in made)
