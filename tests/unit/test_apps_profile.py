"""App profiles: what the user named, and what package.json adds to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab import content
from lab.apps.profile import Profile, completed, names, resolve
from lab.errors import UsageError

LOCKED = frozenset({"package.json", "package-lock.json"})


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/someone/dumbsound.git", "dumbsound"),
        ("https://example.org/a/my-app/", "my-app"),
        ("git@github.com:someone/my_app.git", "my_app"),
        ("git@host:app.git", "app"),
        ("ssh://git@host:2222/team/site.git", "site"),
        ("file:///srv/git/ä b.git", "b"),
        ("https://example.org/.git", "app"),
    ],
)
def test_a_url_is_an_app(url: str, name: str) -> None:
    """Called after its last part, in letters that a folder may have; the ssh form too."""
    profile = resolve(url)
    assert (profile.name, profile.source) == (name, url)


def test_a_folder_is_an_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute, relative or with a tilde: the same app."""
    folder = tmp_path / "My App"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    expected = Profile(name="My-App", source=str(folder))
    assert expected == resolve(str(folder)) == resolve("./My App") == resolve("~/My App")


@pytest.mark.parametrize("name", ["_private", "a" * 80, "...", "-x", "日本"])
def test_any_folder_name_makes_an_app_name(tmp_path: Path, name: str) -> None:
    """However strange: it is the user's, and no bug."""
    (tmp_path / name).mkdir()
    profile = resolve(str(tmp_path / name))
    assert 1 <= len(profile.name) <= 63
    assert profile.name[0].isalnum()


def test_shipped_profiles_are_known_by_name() -> None:
    """A source that ships with the lab is a folder then."""
    assert names() == ["dumbsound", "hello"]
    assert resolve("dumbsound").source == "https://github.com/RizqyAlvindra/dumbsound.git"
    assert resolve("hello").source == str(content.root() / "apps" / "hello")


def test_a_broken_profile_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file and what is wrong in it."""
    (tmp_path / "apps").mkdir()
    monkeypatch.setattr(content, "root", lambda: tmp_path)
    for text in ("source = ", "sauce = 'x'", "source = 'x'\nready_s = 0"):
        (tmp_path / "apps" / "mine.toml").write_text(text)
        with pytest.raises(UsageError, match=r"mine\.toml: is no app profile"):
            resolve("mine")


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.4.1", True), ("^4.0.3", True), ("~2", True), ("5.0.1", False), (">=5", False), ("latest", False)],
)
def test_webpack_4_needs_the_old_openssl(version: str, expected: bool) -> None:
    """react-scripts below 5 bundle it, wherever they are asked for."""
    for kind in ("dependencies", "devDependencies"):
        full = completed(Profile(name="a", source="s"), {kind: {"react-scripts": version}}, LOCKED)
        assert expected is (full.env.get("NODE_OPTIONS") == "--openssl-legacy-provider")


def test_the_profiles_own_variables_win() -> None:
    """Over what the lab guesses."""
    profile = Profile(name="a", source="s", env={"NODE_OPTIONS": "mine", "X": "1"})
    env = completed(profile, {"dependencies": {"react-scripts": "4"}}, LOCKED).env
    assert (env["NODE_OPTIONS"], env["X"]) == ("mine", "1")


@pytest.mark.parametrize(
    ("package", "files", "expected"),
    [
        ({"dependencies": {"a": "1"}}, LOCKED, "npm ci"),
        ({"dependencies": {"a": "1"}}, frozenset({"npm-shrinkwrap.json"}), "npm ci"),
        ({"dependencies": {"a": "1"}}, frozenset({"package.json"}), "npm install --no-package-lock"),
        ({"devDependencies": {"a": "1"}}, LOCKED, "npm ci"),
        ({"dependencies": {}}, LOCKED, ""),
        ({}, frozenset(), ""),
    ],
)
def test_dependencies_are_installed_as_the_repository_allows(
    package: dict[str, Any], files: frozenset[str], expected: str
) -> None:
    """`npm ci` needs a lockfile; without dependencies there is nothing to install."""
    assert completed(Profile(name="a", source="s"), package, files).install == expected


def test_a_profiles_own_install_is_kept() -> None:
    """With or without a lockfile."""
    profile = Profile(name="a", source="s", install="yarn")
    assert completed(profile, {"dependencies": {"a": "1"}}, frozenset()).install == "yarn"
