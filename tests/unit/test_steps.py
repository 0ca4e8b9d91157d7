"""States: each asks first, and changes something only on a difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import steps
from lab.errors import CommandFailed, Result
from lab.steps import File, Line, Service, Step, command, directory, file, line, packages, reload, service
from tests.fakes import ME, FakeHost, LocalHost


@pytest.fixture
def pending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The marks of what is owed are in the test's folder."""
    folder = tmp_path / "var"
    monkeypatch.setattr(steps, "PENDING", str(folder / "pending"))
    return folder


def _file(path: Path, content: str, **more: str) -> Step:
    return file(str(path), content, owner=ME, **more)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("install ok installed\ninstall ok installed\n", True),
        ("install ok installed\ndeinstall ok config-files\n", False),
        (Result("", 1, "install ok installed\n", "no packages found matching curl"), False),
    ],
)
def test_packages_are_met_when_dpkg_has_all(answer: str | Result, expected: bool) -> None:
    """One that is missing or only half removed is not enough."""
    host = FakeHost(script={"dpkg-query": answer})
    assert expected is packages("nginx", "curl").is_met(host)


def test_packages_are_installed_as_root_without_questions() -> None:
    """With fresh lists, without recommends, and with words that the shell cannot misread."""
    host = FakeHost()
    packages("nginx", "a b;c").apply(host)
    (ran,) = host.ran
    assert ran.root
    assert ran.timeout_s == 600
    assert "DEBIAN_FRONTEND=noninteractive apt-get -q update &&" in ran.command
    assert "--no-install-recommends" in ran.command
    assert ran.command.endswith("nginx 'a b;c'")


def test_a_file_is_met_after_it_was_applied(tmp_path: Path, pending: Path) -> None:
    """Content, mode and owner; nothing is owed and nothing is left beside it."""
    path, host = tmp_path / "etc" / "a.conf", LocalHost()
    step = _file(path, "one\n", mode="640")
    assert not step.is_met(host)
    step.apply(host)
    assert step.is_met(host)
    assert path.read_text() == "one\n"
    assert [each.name for each in path.parent.iterdir()] == ["a.conf"]
    assert list(pending.iterdir()) == []


@pytest.mark.parametrize("damage", ["content", "mode", "absence"])
def test_a_file_that_differs_is_not_met(tmp_path: Path, pending: Path, damage: str) -> None:
    """Whatever differs, the step sees it."""
    path, host = tmp_path / "a.conf", LocalHost()
    step = _file(path, "one\n")
    step.apply(host)
    if damage == "content":
        path.write_text("two\n")
    elif damage == "mode":
        path.chmod(0o600)
    else:
        path.unlink()
    assert not step.is_met(host)


def test_a_file_of_another_owner_is_not_met(tmp_path: Path, pending: Path) -> None:
    """The owner is part of the state."""
    path, host = tmp_path / "a.conf", LocalHost()
    _file(path, "one\n").apply(host)
    assert not file(str(path), "one\n", owner="nobody:nowhere").is_met(host)


def test_a_file_with_nasty_characters_in_its_name(tmp_path: Path, pending: Path) -> None:
    """Quotes, spaces and dollars in a path stay what they are, and the state is met afterwards."""
    path, host = tmp_path / "it's a $HOME; file", LocalHost()
    step = _file(path, "one\n")
    step.apply(host)
    assert path.read_text() == "one\n"
    assert step.is_met(host)


def test_a_file_that_fails_its_check_is_put_back(tmp_path: Path, pending: Path) -> None:
    """The old content stands again, `then` was not run, and the error says so with what the check said."""
    path, host = tmp_path / "a.conf", LocalHost()
    _file(path, "good\n").apply(host)
    bad = _file(path, "bad\n", check=f"echo line 7 >&2; grep -q good {path}", then=f"touch {tmp_path}/reloaded")
    with pytest.raises(CommandFailed) as caught:
        bad.apply(host)
    assert path.read_text() == "good\n"
    assert not (tmp_path / "reloaded").exists()
    assert caught.value.mend == f"{path} was put back as it was"
    assert "line 7" in str(caught.value)
    assert _file(path, "good\n").is_met(host)


def test_a_new_file_that_fails_its_check_is_removed(tmp_path: Path, pending: Path) -> None:
    """There was nothing, so there is nothing again."""
    path = tmp_path / "a.conf"
    with pytest.raises(CommandFailed):
        _file(path, "bad\n", check="false").apply(LocalHost())
    assert not path.exists()


def test_then_is_owed_after_a_failure(tmp_path: Path, pending: Path) -> None:
    """The content is right, but nginx has not read it: the next run brings that about."""
    path, host, told = tmp_path / "a.conf", LocalHost(), tmp_path / "told"
    with pytest.raises(CommandFailed):
        _file(path, "one\n", then="false").apply(host)
    step = _file(path, "one\n", then=f"touch {told}")
    assert path.read_text() == "one\n"
    assert not step.is_met(host)
    step.apply(host)
    assert step.is_met(host)
    assert told.exists()


def test_then_stays_owed_when_a_later_content_is_refused(tmp_path: Path, pending: Path) -> None:
    """A refused change puts the old content back; the reload that this content never got is owed still."""
    path, host = tmp_path / "a.conf", LocalHost()
    with pytest.raises(CommandFailed):
        _file(path, "one\n", then="false").apply(host)
    with pytest.raises(CommandFailed):
        _file(path, "two\n", check="false").apply(host)
    assert path.read_text() == "one\n"
    assert not _file(path, "one\n").is_met(host)


def test_a_file_shows_its_digest_and_never_its_content() -> None:
    """It may hold secrets; yet another content is another recipe."""
    one, other = file("/a", "password=1"), file("/a", "password=2")
    assert "password" not in repr(one)
    assert repr(one) != repr(other)
    assert "0" * 8 not in repr(one) and "digest='" in repr(one)


def test_equal_steps_have_equal_reprs() -> None:
    """A box's name is hashed from them."""
    pairs = [
        (packages("a", "b"), packages("a", "b")),
        (file("/a", "x", then="y"), file("/a", "x", then="y")),
        (line("/a", "x", after="y"), line("/a", "x", after="y")),
        (service("a", running=True, enabled=False), service("a", running=True, enabled=False)),
        (
            command("t", "run %s", "a", unless="u", env={"B": "1", "A": "2"}),
            command("t", "run %s", "a", unless="u", env={"A": "2", "B": "1"}),
        ),
        (directory("/a"), directory("/a")),
    ]
    for one, other in pairs:
        assert one == other
        assert repr(one) == repr(other)
    assert len({repr(one) for one, _ in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ("a\ninclude x;\nb\n", "a\ninclude x;\nNEW\nb\n"),
        ("include x;\na\ninclude x/y;\nb\n", "include x;\na\ninclude x/y;\nNEW\nb\n"),
        ("a\nb", "a\nb\nNEW\n"),
        ("", "NEW\n"),
    ],
    ids=["after it", "after the last one", "else at the end", "into an empty file"],
)
def test_a_line_is_put_in_its_place(tmp_path: Path, pending: Path, old: str, expected: str) -> None:
    """After the last line with the anchor; without an anchor at the end."""
    path, host = tmp_path / "nginx.conf", LocalHost()
    path.write_text(old)
    step = line(str(path), "NEW", after="include x")
    assert not step.is_met(host)
    step.apply(host)
    assert path.read_text() == expected
    assert step.is_met(host)


def test_a_part_of_a_line_is_not_the_line(tmp_path: Path) -> None:
    """`include a;` is not there because `#include a;` is."""
    path = tmp_path / "nginx.conf"
    path.write_text("#include a;\n")
    assert not line(str(path), "include a;", after="x").is_met(LocalHost())


def test_a_line_owes_its_then_after_a_failure(tmp_path: Path, pending: Path) -> None:
    """As a file does: the line stands there, but nginx was not told."""
    path, host = tmp_path / "nginx.conf", LocalHost()
    path.write_text("a\n")
    step = line(str(path), "NEW", after="a", then="false")
    with pytest.raises(CommandFailed):
        step.apply(host)
    assert not step.is_met(host)


@pytest.mark.parametrize(
    ("running", "enabled", "shown", "expected"),
    [
        (True, True, "active\nenabled\n", True),
        (True, True, "active\ndisabled\n", False),
        (True, True, "inactive\nenabled\n", False),
        (False, False, "inactive\ndisabled\n", True),
        (False, False, "active\ndisabled\n", False),
        (True, True, "activating\nenabled\n", False),
        (True, True, "", False),
    ],
)
def test_a_service_is_met_as_systemd_says(running: bool, enabled: bool, shown: str, expected: bool) -> None:
    """Running or not, at boot or not, each of them."""
    host = FakeHost(script={"systemctl": Result("", 3, shown, "")})
    assert expected is service("nginx", running=running, enabled=enabled).is_met(host)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (Service("nginx"), "systemctl -q enable nginx && systemctl start nginx"),
        (Service("nginx", running=False, enabled=False), "systemctl -q disable nginx && systemctl stop nginx"),
        (Service("a b"), "systemctl -q enable 'a b' && systemctl start 'a b'"),
    ],
)
def test_a_service_is_switched_as_root(step: Service, expected: str) -> None:
    """Both halves in one command."""
    host = FakeHost()
    step.apply(host)
    assert [(expected, True)] == [(ran.command, ran.root) for ran in host.ran]


def test_a_command_runs_as_its_user_with_its_variables() -> None:
    """Root only when no user is named; `unless` decides, under the same conditions."""
    host = FakeHost(script={"test -e": 1})
    step = command("t", "make %s", "it's", unless="test -e x", user="vagrant", env={"A": "1"}, timeout_s=7)
    assert not step.is_met(host)
    step.apply(host)
    asked, done = host.ran
    assert (asked.user, asked.root, asked.env) == ("vagrant", False, {"A": "1"})
    assert (done.command, done.user, done.root) == ("make 'it'\"'\"'s'", "vagrant", False)
    assert (done.env, done.timeout_s) == ({"A": "1"}, 7)


def test_a_command_without_a_user_is_roots() -> None:
    """And is met when `unless` succeeds."""
    host = FakeHost()
    assert command("t", "make", unless="true").is_met(host)
    assert host.ran[0].root


def test_a_directory_is_made_with_owner_and_mode(tmp_path: Path) -> None:
    """Also one with a nasty name; another mode is a difference."""
    path, host = tmp_path / "it's; here", LocalHost()
    step = directory(str(path), mode="750", owner=ME)
    assert not step.is_met(host)
    step.apply(host)
    assert step.is_met(host)
    assert not directory(str(path), mode="755", owner=ME).is_met(host)


def test_titles_say_what_the_user_waits_for() -> None:
    """They are shown while the state is brought about."""
    expected = ["packages a b", "file /a", "line `x;` in /a", "service n running, enabled", "directory /d"]
    shown = [
        packages("a", "b"), File("/a", ""), Line("/a", "\tx;", ""), Service("n"), directory("/d"),
    ]  # fmt: skip
    assert expected == [step.title for step in shown]


def test_reload_quotes_the_unit() -> None:
    """It is a command for `then`."""
    assert reload("a b") == "systemctl reload-or-restart 'a b'"
