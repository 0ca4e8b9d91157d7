"""The command line, as a user meets it: in a process of its own, or through `main`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.shell_completion import ShellComplete

import lab
from lab import hosts_file, registry
from lab.cli import COMMANDS, cli, main
from lab.errors import HostUnreachable
from lab.home import Home
from lab.ledger import Entry, Ledger
from lab.machines.fake import FakeMachines
from lab.provisioning import HostReport
from lab.topology import Lab
from lab.vagrantfile import render as vagrantfile

ROOT = Path(lab.__file__).parents[1]
Ran = subprocess.CompletedProcess[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, without a lab in it."""
    made = tmp_path / "course"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def _lab(*words: str) -> Ran:
    """`lab …` in a process of its own."""
    code = "from lab.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, timeout=30,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "TMPDIR": str(Path.cwd())},
    )  # fmt: skip


def _main(*words: str) -> int:
    """`lab …` in this process; its exit code."""
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(str(left.value.code or 0))


def test_help_lists_all_commands() -> None:
    """Each with a sentence, and a way to begin; without arguments too."""
    shown = _lab("--help")
    assert shown.returncode == 0
    listed = [line.split()[0] for line in shown.stdout.partition("Commands:")[2].splitlines() if line[2:3].strip()]
    assert set(COMMANDS) <= set(listed)
    assert "Begin with: lab up" in shown.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its module can be loaded, the sentence in the list is the command's, and no mark of click's is shown."""
    assert _main(command, "--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"Usage: lab {command}" in said
    first = " ".join(COMMANDS[command][1].split()[:3]).rstrip(".:;,")
    assert first in said
    assert "\\b" not in said


@pytest.mark.parametrize(("typed", "meant"), [("stauts", "status"), ("destory", "destroy"), ("doctr", "doctor")])
def test_an_unknown_command_gets_a_suggestion(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 2."""
    assert _main(typed) == 2
    said = capsys.readouterr().err
    assert "Did you mean" in said and f"'{meant}'" in said
    assert said.count("Did you mean") == 1


@pytest.mark.parametrize(
    "words",
    [["zzz"], ["up", "--provider", "nonsense"], ["render", "nonsense"], ["ssh"], ["halt", "--no-such-option"]],
)
def test_a_wrong_command_line_is_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence on standard error."""
    assert _main(*words) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Error" in err and "Traceback" not in err


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["halt"], ["provision"], ["ssh", "voxy"]])
def test_without_a_lab_the_mend_is_up(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence that names the folder; exit code 2, for the command asks for what is not there."""
    assert _main(*words) == 2
    said = capsys.readouterr().err
    assert f"lab: there is no lab in {Path.cwd()} yet" in said
    assert "→ lab up" in said


@pytest.mark.parametrize("words", [["status"], ["render", "nginx"], ["up"], ["doctor"], ["destroy", "--yes"]])
def test_a_corrupt_topology_is_a_sentence(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is done."""
    Path("lab.toml").write_text("host = [")
    assert _main(*words) == 2
    said = capsys.readouterr().err
    assert said.startswith("lab: lab.toml: is not TOML") and "Traceback" not in said
    assert not Path(".lab").exists()


def test_a_named_lab_is_its_own(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be typed next names it too, but for who set LAB_NAME; the lab without a name is untouched."""
    assert _main("--name", "b", "status") == 2
    expected = f"lab: there is no lab b in {Path.cwd()} yet\n  → lab --name b up\n"
    assert capsys.readouterr().err == expected
    monkeypatch.setenv("LAB_NAME", "b")
    assert _main("status") == 2
    assert capsys.readouterr().err == expected.replace("--name b ", "")
    monkeypatch.delenv("LAB_NAME")
    assert _main("status") == 2
    assert f"there is no lab in {Path.cwd()} yet\n  → lab up" in capsys.readouterr().err


def test_the_warning_and_the_topology_are_the_named_labs(capsys: pytest.CaptureFixture[str]) -> None:
    """Its faults, its subnet."""
    home = Home(Path.cwd(), "b")
    home.write("subnet", "192.168.60.0/24\n")
    Ledger(home).write(Entry("1", "power_off voxy", "voxy", "power", "", "run"))
    assert _main("--name", "b", "open") == 0
    out, err = capsys.readouterr()
    assert out == "http://192.168.60.10/\n"
    assert err == "! still in force: power_off voxy; `lab --name b heal` undoes it\n"
    assert _main("open") == 0
    assert capsys.readouterr() == ("http://192.168.56.10/\n", "")


@pytest.mark.parametrize("name", ["B", "-b", "b/c", "..", "b" * 33, "b c"])
def test_a_name_is_a_label(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It becomes a part of a folder's name."""
    assert _main("--name", name, "open") == 2
    assert "is no DNS label" in capsys.readouterr().err


def test_a_name_in_the_wrong_place_is_shown_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Before the command."""
    assert _main("up", "--name", "b") == 2
    assert "lab --name NAME up" in capsys.readouterr().err


def test_names_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    """From this folder, and from the list of labs."""
    for name in ("ana", "anton", "budi"):
        Path(f".lab-{name}").mkdir()
    registry.write(registry.Entry("0" * 8, "andi", str(Path.cwd())))
    registry.write(registry.Entry("1" * 8, "anders", "/elsewhere"))
    completion = ShellComplete(cli, {}, "lab", "_LAB_COMPLETE")
    found = [item.value for item in completion.get_completions(["--name"], "an")]
    assert found == ["ana", "andi", "anton"]


def test_an_unknown_host_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    assert _main("halt", "voxi") == 2
    assert "there is no host 'voxi'\n  → name one of akuma, voxy, zero" in capsys.readouterr().err


def _raising(monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    """Let `lab open` raise this."""

    def load(*words: object) -> Lab:
        raise fault

    monkeypatch.setattr("lab.cli.site.lab_and_home", load)


def test_a_problem_of_this_computer_is_4(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence and its mend."""
    _raising(monkeypatch, HostUnreachable("voxy: no SSH", "lab reboot voxy"))
    assert _main("open") == 4
    assert capsys.readouterr().err == "lab: voxy: no SSH\n  → lab reboot voxy\n"


def test_a_bug_of_ours_is_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """No traceback on the screen; it is in a file, whose name is told."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _raising(monkeypatch, ValueError("oh [red]no"))
    assert _main("open") == 70
    said = capsys.readouterr().err
    assert said.startswith("lab: this is a bug of ours: ValueError: oh [red]no\n  → please report it with ")
    assert "Traceback" not in said
    (report,) = tmp_path.glob("lab-bug-*.txt")
    assert str(report) in said
    assert "Traceback" in report.read_text()


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """At once: threads may still wait for hosts that nobody needs any more."""
    _raising(monkeypatch, KeyboardInterrupt())

    def leave(code: int) -> None:
        raise SystemExit(f"{code}")

    monkeypatch.setattr(os, "_exit", leave)
    assert _main("open") == 130
    assert capsys.readouterr().err.strip() == "lab: interrupted"


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_a_terminated_command_is_interrupted(number: str) -> None:
    """A supervisor sends SIGTERM, a closed terminal SIGHUP: the same end as Ctrl-C, in a real process."""
    code = (
        "import os, signal, lab.cli.site as site\nfrom lab.cli import main\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        f"site.lab_and_home = lambda file: os.kill(os.getpid(), signal.{number}) or signal.pause()\nmain(['open'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30, cwd=ROOT
    )
    assert (done.returncode, done.stderr.strip()) == (130, "lab: interrupted")


def test_what_would_be_written_is_printed(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """And nothing is made."""
    assert _main("render", "nginx") == 0
    assert "server 192.168.56.11:3000 weight=1" in capsys.readouterr().out
    assert _main("render", "vagrantfile", "--provider", "virtualbox") == 0
    assert capsys.readouterr().out == vagrantfile(Lab(), "virtualbox", "debian/bookworm64", Home(folder))
    assert _main("render", "schema") == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))
    assert list(folder.iterdir()) == []


def test_another_file_is_another_lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also for `render`."""
    (tmp_path / "big.toml").write_text('domain = "big.example"\n')
    assert _main("render", "nginx", "--file", str(tmp_path / "big.toml")) == 0
    assert "server_name big.example" in capsys.readouterr().out


def test_the_site_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Its address, and its line for /etc/hosts."""
    assert _main("open") == 0
    assert _main("hosts") == 0
    assert capsys.readouterr().out == "http://192.168.56.10/\n192.168.56.10 akuma.xyz  # lab: akuma.xyz\n"


def test_the_line_is_written_and_removed_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second time there is nothing to do, and nothing is written."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    written: list[str] = []

    def replace(text: str) -> None:
        written.append(text)
        hosts.write_text(text)

    monkeypatch.setattr(hosts_file, "HOSTS", hosts)
    monkeypatch.setattr(hosts_file, "replace", replace)
    for option, expected in (("--write", 1), ("--write", 1), ("--remove", 2), ("--remove", 2)):
        assert _main("hosts", option) == 0
        assert len(written) == expected
    assert hosts.read_text() == "127.0.0.1 localhost\n"
    assert capsys.readouterr().out.count("is so already") == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str) -> None:
    """Bash finds no fault in its own; it asks for the version of bash, so bash must be there."""
    shown = _lab("completion", shell)
    assert shown.returncode == 0
    assert "_LAB_COMPLETE" in shown.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=shown.stdout, text=True, check=True)


def test_host_names_are_completed() -> None:
    """From lab.toml; a broken one completes nothing and says nothing."""
    complete: Callable[[Any, Any, str], list[str]] = __import__("lab.cli.options", fromlist=["x"]).host_names
    context = type("Context", (), {"params": {}})()
    assert complete(context, None, "v") == ["voxy"]
    assert complete(context, None, "") == ["akuma", "voxy", "zero"]
    Path("lab.toml").write_text("host = [")
    assert complete(context, None, "v") == []


def test_the_command_line_starts_quickly() -> None:
    """--help loads none of the big packages, and no command."""
    code = "import lab.cli, sys; print(*[name for name in sys.modules if name.split('.')[0] in sys.argv[1:]])"
    big = ["pydantic", "fabric", "rich", "paramiko", "jinja2", "vagrant", "concurrent"]
    shown = subprocess.run([sys.executable, "-c", code, *big], capture_output=True, text=True, check=True, cwd=ROOT)
    assert shown.stdout == "\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_failed_host_is_reported_with_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path, as_json: bool
) -> None:
    """Every host's report, also as JSON, and exit code 4."""
    Home(folder).remember(provider="lxc", app="hello", app_named=True)
    reports = (HostReport("akuma", True, 2, 0, 1.0), HostReport("voxy", False, 1, 1, 2.0, "voxy, at “x”: broke"))
    monkeypatch.setattr("lab.session.machines_for", lambda lab, home, provider: FakeMachines(lab))
    monkeypatch.setattr("lab.up.provision", lambda plan, opener, listener: reports)
    monkeypatch.setattr("lab.up.source_for", lambda lab, home, listener: None)
    assert _main("provision", *(["--json"] if as_json else [])) == 4
    out, err = capsys.readouterr()
    if as_json:
        hosts = json.loads(out)["hosts"]
        assert [(host["name"], host["ok"], host["changed"], host["failed"]) for host in hosts] == [
            ("akuma", True, 2, 0), ("voxy", False, 1, 1)]  # fmt: skip
    else:
        assert "akuma      2 changed, 0 failed, 1.0 s" in out
        assert "voxy, at “x”: broke" in err


def test_status_as_json_is_the_contract(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """The keys that scripts rely on."""
    Home(folder).remember(provider="lxc")
    monkeypatch.setattr("lab.session.machines_for", lambda lab, home, provider: FakeMachines(lab))
    assert _main("status", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"lab", "provider", "url", "hosts", "faults"} <= set(found)
    assert set(found["hosts"][0]) == {"name", "roles", "address", "state", "reachable", "app"}
    assert _main("status") == 0
    out = capsys.readouterr().out
    assert "akuma" in out and "absent" in out and "http://192.168.56.10/" in out


def test_destroy_asks_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer nothing is removed, and the command counts as interrupted."""
    removed: list[Lab] = []
    monkeypatch.setattr("lab.cli.destroy.remove", lambda lab, home, listener: removed.append(lab))
    monkeypatch.setattr(os, "_exit", lambda code: sys.exit(code))
    monkeypatch.setattr("sys.stdin", StringIO(""))
    assert _main("destroy") == 130
    assert removed == []
    assert _main("destroy", "--yes") == 0
    assert removed == [Lab()]
