"""The parts of the comparison, as far as they need no machine: what rivals print is read, and figures are judged."""

from __future__ import annotations

import tomllib

import pytest

from bench.contests import backends, labs, load, provision, up
from bench.contests.load import Said, read_hey, read_wrk
from bench.figures import Series
from bench.rivals import main
from bench.rooms import toml
from lab.config import parse

WRK = """
  Latency Distribution
     50%  520.00us
     75%  601.00us
     99%    1.90s
  1999 requests in 10.00s, 410.00KB read
"""
HEY = """
Latency distribution:
  10%% in 0.0003 secs
  50%% in 0.0005 secs
  99%% in 0.0040 secs

Status code distribution:
  [200]	1990 responses
  [502]	9 responses
"""


def test_what_wrk_and_hey_say_is_read() -> None:
    """Units are heeded, and every answer counts as a request."""
    assert read_wrk(WRK) == Said(1999, 0.00052, 1.9)
    assert read_hey(HEY.replace("%%", "%")) == read_hey(HEY) == Said(1999, 0.0005, 0.004)


def test_another_output_is_an_error() -> None:
    """A version that prints otherwise must not become a figure."""
    with pytest.raises(ValueError, match="is not in what was printed"):
        read_wrk("unable to connect")
    with pytest.raises(ValueError, match="is not in what was printed"):
        read_hey("")


@pytest.mark.parametrize(("slow", "met"), [(50.0, True), (49.0, False)])
def test_up_is_held_against_both_rivals_on_a_bare_debian(slow: float, met: bool) -> None:
    """The prebuilt box is shown, and no target."""
    found = {up.LAB: 10.0, "a, bare Debian": slow, "b, bare Debian": 80.0, "a, our box": 20.0}
    result = up.judged({title: Series((seconds,)) for title, seconds in found.items()})
    assert [target.met for target in result.targets] == [met, True]
    assert len(result.tables[0].rows) == 4


def test_provision_is_held_against_ansible_and_pyinfra() -> None:
    """Shell scripts do not ask, so they are no measure of asking."""
    found = {provision.LAB: 1.0, "ansible-playbook": 8.0, "pyinfra": 4.0, "vagrant provision (shell)": 9.0}
    result = provision.judged({title: Series((seconds,)) for title, seconds in found.items()})
    assert [(target.met, target.measured) for target in result.targets] == [(True, 8.0), (False, 4.0)]


def test_sixteen_backends_are_held_against_two() -> None:
    """At most three times as long."""
    found = {2: Series((5.0,)), 4: Series((6.0,)), 8: Series((9.0,)), 16: Series((15.5,))}
    (target,) = backends.judged(found).targets
    assert (target.met, target.measured) == (False, 3.1)


def test_ten_labs_must_fit_and_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab of which one backend does not serve is no lab."""
    monkeypatch.setattr(labs, "folder_mib", lambda *folders: 1.0)
    room, whole = labs.judged([100.0, 6145.0], [10.0, 100.0], [5.0, 9.0], [2, 2, 1]).targets
    assert (room.met, whole.met) == (False, False)
    room, whole = labs.judged([100.0, 1000.0], [10.0, 100.0], [5.0, 9.0], [2, 2, 2]).targets
    assert (room.met, whole.met) == (True, True)


def test_a_p99_that_hides_the_freeze_is_missed() -> None:
    """The truth is 1.9 s."""
    rates = {name: [(2000.0, 100.0)] for name in ("lab", "wrk", "hey")}
    for told, met in ((1.9, True), (0.004, False)):
        p99s = {name: [(0.001, told)] for name in rates}
        (target,) = load.judged(rates, p99s).targets
        assert target.met is met


@pytest.mark.parametrize("count", [2, 16])
def test_a_room_is_a_lab(count: int) -> None:
    """One balancer, so many backends, addresses in its own subnet."""
    lab = parse(tomllib.loads(toml(90, count)))
    assert len(lab.backends) == count
    assert str(lab.subnet) == "192.168.90.0/24"


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is made, with the parts that there are."""
    with pytest.raises(SystemExit) as caught:
        main(["up", "nonsense"])
    assert caught.value.code == 2
    assert "there are up, provision, load, labs, backends" in capsys.readouterr().err
