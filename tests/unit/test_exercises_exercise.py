"""An exercise's folder: found by name, number or path, and a sentence with file and key where it is not one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import config
from lab.errors import EnvironmentProblem, UsageError
from lab.exercises.exercise import Script, Title, everything, load, names
from lab.exercises.student import PRACTICE, Student
from lab.topology import Lab
from tests.fakes import default_hosts, five_hosts
from tests.unit.classroom import MINE, about, made, shipped, write


@pytest.mark.parametrize("name", ["hello-web", "01-hello-web", "01", "1"])
def test_by_name_or_number(name: str) -> None:
    """One of those that ship."""
    found = load(name)
    assert (found.id, found.number, found.folder.name) == ("hello-web", "01", "01-hello-web")


def test_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exercise of one's own, also relative to where one is."""
    folder = write(tmp_path)
    monkeypatch.chdir(tmp_path / "exercises")
    assert load(str(folder)).folder == folder
    assert load("./01-mine/").folder == folder


@pytest.mark.parametrize(
    ("name", "mend"), [("helo-web", "did you mean hello-web?"), ("zzz", "there are: hello-web, "), ("", "there are: ")]
)
def test_an_unknown_name(name: str, mend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told with the nearest, or with all; a folder here that is called so is not meant."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zzz").mkdir()
    with pytest.raises(UsageError) as caught:
        load(name)
    assert caught.value.message == f"there is no exercise {name!r}" and caught.value.mend.startswith(mend)


def test_those_that_ship_are_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their numbers."""
    assert names()[:1] == ["hello-web"] and [each.id for each in everything()] == names()
    assert sorted(each.number for each in everything()) == [each.number for each in everything()]
    shipped(tmp_path, monkeypatch, "zebra", "ant")
    assert names() == ["zebra", "ant"]


def test_a_folder_needs_a_number(tmp_path: Path) -> None:
    """The sentence says how it is to be called."""
    folder = write(tmp_path).rename(tmp_path / "mine")
    with pytest.raises(UsageError, match="an exercise's folder is named NN-name"):
        load(str(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = ", "is not TOML: "),
        (about().encode("latin-1").decode().replace("15", "\udcff"), "is not TOML: "),
        (about(points="0"), "points: input should be greater than or equal to 1"),
        (about(points='"many"'), "points: input should be a valid integer"),
        (about(minutes="601"), "minutes: "),
        (about(version="0"), "version: "),
        (about(hosts="[]"), "hosts: "),
        (about(fails="[]"), "fails: "),
        (about(stage='"site2"'), "stage: input should be 'fresh', 'apps' or 'site'"),
        (about(repository='"perhaps"'), "repository: "),
        (about(title='{ en = "T" }'), "title.id: field required"),
        (about(title='{ en = "T", id = "" }'), "title.id: "),
        (about(colour='"red"'), "colour: unexpected keyword argument"),
        (about().replace("points = 10\n", ""), "points: field required"),
        (about(artefacts='["a"]'), "artefacts: "),
    ],
)
def test_a_wrong_description_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    """In one sentence, with where all keys are told."""
    folder = write(tmp_path)
    (folder / "exercise.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError) as caught:
        load(str(folder))
    assert caught.value.message.startswith(f"{folder}/exercise.toml: {said}")
    assert caught.value.mend and "\n" not in caught.value.message


def test_a_description_that_is_not_there(tmp_path: Path) -> None:
    """Or cannot be read."""
    folder = write(tmp_path, changes={"exercise.toml": None})
    with pytest.raises(UsageError, match=r"exercise\.toml: there is no such file\n  → `lab exercise new NAME`"):
        load(str(folder))
    (folder / "exercise.toml").mkdir()
    with pytest.raises(EnvironmentProblem, match=r"exercise\.toml: cannot be read"):
        load(str(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0", "does not import: ZeroDivisionError: division by zero"),
        ("def f(:", "does not import: SyntaxError: "),
        ("import nothing_such", "does not import: ModuleNotFoundError: "),
        ("raise SystemExit(0)", "does not import: SystemExit: 0"),
        (None, "there is no such file"),
    ],
)
def test_checks_that_do_not_import(tmp_path: Path, text: str | None, said: str) -> None:
    """Are a sentence that names the file; the program does not end with them."""
    exercise = made(tmp_path, changes={**MINE, "checks.py": text})
    with pytest.raises(UsageError) as caught:
        _ = exercise.checks
    assert caught.value.message.startswith(f"{exercise.folder}/checks.py: {said}")


def test_scripts_in_their_order(tmp_path: Path) -> None:
    """A digit orders them, the rest is the host; other files are no scripts."""
    more = {
        "solution/2-akuma.sh": "two\n",
        "solution/1-lab.sh": "one\n",
        "solution/notes.txt": "",
        "setup/voxy.sh": "v",
    }
    exercise = made(tmp_path, changes={**MINE, **more, "solution/akuma.sh": None})
    assert exercise.solution == (Script("lab", "one\n"), Script("akuma", "two\n"))
    assert exercise.setup == (Script("voxy", "v"),)


def test_mistakes(tmp_path: Path) -> None:
    """Each with its scripts, and what catches it; made in the starting state unless it says otherwise."""
    (mistake,) = made(tmp_path).mistakes
    assert (mistake.name, mistake.caught.fails, mistake.caught.message) == ("old-page", "works", "no-token")
    assert mistake.caught.after == "start"
    assert mistake.scripts == (Script("akuma", "sudo systemctl enable --now nginx\n"),)


@pytest.mark.parametrize(
    ("text", "said"), [('fails = "works"', "title: field required"), (None, "there is no such file")]
)
def test_a_wrong_mistake_names_file_and_key(tmp_path: Path, text: str | None, said: str) -> None:
    """When it is asked for; the exercise can be done all the same."""
    exercise = made(tmp_path, changes={**MINE, "mistakes/old-page/mistake.toml": text})
    assert len(exercise.checks) == 3
    with pytest.raises(UsageError, match=rf"old-page/mistake\.toml: {said}"):
        _ = exercise.mistakes


def test_the_students_own_values(tmp_path: Path) -> None:
    """Domain, port, token, fault, and each host's address; texts are filled with them."""
    exercise = made(tmp_path, changes={**MINE, "exercise.toml": about(faults='["amber"]')})
    ana = Student("ana", key="ab" * 32)
    lab = ana.own(Lab())
    addresses = {"akuma": "192.168.56.10", "voxy": "192.168.56.11", "zero": "192.168.56.12"}
    own = {"domain": lab.domain, "port": str(lab.app.port), "token": ana.token("mine"), "fault": "amber"}
    assert own | addresses == exercise.values(lab, ana)
    expected = f"# Judul\n\nSajikan halaman berisi `{ana.token('mine')}` di http://192.168.56.10/.\n"
    assert expected == exercise.text("task", "id", lab, ana)


def test_a_host_with_a_hyphen_is_a_name_all_the_same(tmp_path: Path) -> None:
    """Of a template and of a shell's variable."""
    tables = [{**host, "name": f"{host['name']}-1"} for host in default_hosts()]
    lab = config.parse({"host": tables})
    assert made(tmp_path).values(lab, PRACTICE)["akuma_1"] == "192.168.56.10"


def test_a_lab_without_its_hosts_is_refused(tmp_path: Path) -> None:
    """By the name of the first that is missing; more hosts are no harm."""
    exercise = made(tmp_path, changes={**MINE, "exercise.toml": about(hosts='["akuma", "luna", "nova"]')})
    exercise.require_hosts(five_hosts())
    with pytest.raises(UsageError, match="mine needs a host called luna, and"):
        exercise.require_hosts(Lab())


def test_a_title_in_both_languages() -> None:
    """Each its own."""
    title = Title(en="A page", id="Sebuah halaman")
    assert (title.in_("en"), title.in_("id")) == ("A page", "Sebuah halaman")
