"""Apps that came out of a pack: found by name or source, and never believed blindly."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.apps import packed
from lab.apps.profile import Profile
from lab.apps.source import Source
from lab.errors import EnvironmentProblem

SOURCE = Source(Profile("shop", "/home/teacher/shop", env={"A": "1"}), "a" * 40, "main", Path("/x"), "0123456789ab")


def _unpacked(cache: Path, text: bytes) -> Path:
    folder = cache / "packed"
    folder.mkdir(parents=True)
    (folder / "shop.json").write_bytes(text)
    (folder / "shop.bundle").touch()
    return folder


def test_an_app_is_found_by_its_name_and_by_its_source(own_cache: Path) -> None:
    """The same revision with the same profile; the bundle is the one in the cache."""
    folder = _unpacked(own_cache, packed.text_of(SOURCE))
    for wanted in ("shop", "/home/teacher/shop"):
        found = packed.find(wanted)
        assert found == Source(SOURCE.profile, SOURCE.revision, "main", folder / "shop.bundle", "0123456789ab")
    assert packed.find("shops") is None


def test_without_its_bundle_there_is_none(own_cache: Path) -> None:
    """And without any pack there is none either."""
    assert packed.find("shop") is None
    (_unpacked(own_cache, packed.text_of(SOURCE)) / "shop.bundle").unlink()
    assert packed.find("shop") is None


@pytest.mark.parametrize("text", [b"", b"{}", packed.text_of(SOURCE).replace(b"shop.git", b"x")[:-9]])
def test_a_damaged_description_is_one_sentence(own_cache: Path, text: bytes) -> None:
    """With the way to have it again."""
    _unpacked(own_cache, text)
    with pytest.raises(EnvironmentProblem, match=r"shop\.json: is damaged") as caught:
        packed.find("shop")
    assert "lab unpack" in caught.value.mend


@pytest.mark.parametrize(
    ("before", "after"),
    [(b'"main"', b'"-x"'), (b"a" * 40, b"HEAD"), (b'"ready_s": 120', b'"ready_s": 0'), (b'"shop"', b'"../shop"'),
     (b"0123456789ab", b"../x"), (b'"env"', b'"hook"')],
)  # fmt: skip
def test_nonsense_is_refused(before: bytes, after: bytes) -> None:
    """What becomes part of a command or a path has its form."""
    with pytest.raises(ValueError):
        packed.read(packed.text_of(SOURCE).replace(before, after, 1), Path())
