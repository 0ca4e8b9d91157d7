"""A load-balancing laboratory on real machines: boot three, kill one, prove what the users saw.

This module gives content (`provision/`, `scenarios/`, `exercises/`) the names that it is written
in. They are loaded when they are first used, so that `import lab` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.apps.source import Source
    from lab.apps.states import app_states
    from lab.artifacts import unpacked_node
    from lab.context import Context
    from lab.exercises.checks import Wrong, check
    from lab.exercises.scene import Answer, Place, Scene
    from lab.expectations import (
        after,
        back_within,
        bad_window,
        before,
        duplicate_posts,
        during,
        failed_requests,
        healed,
        latency_p99,
        nothing_left,
        retries,
        share_of,
        stalls,
        steady_again,
    )
    from lab.faults import (
        answer_errors,
        answer_slowly,
        break_config,
        crash_loop,
        cut_link,
        drain,
        fill_disk,
        flap_link,
        kill_process,
        limit_cpu,
        lose_packets,
        pause,
        power_off,
        reboot,
        reject_link,
        reload_nginx,
        restart_app,
        slow_link,
        stop_app,
        stop_nginx,
    )
    from lab.quantities import seconds
    from lab.scenario import Lesson, Scenario
    from lab.steps import Step, command, directory, file, line, packages, reload, service
    from lab.templates import template
    from lab.topology import Host, Lab, Role
    from lab.verdict import Outcome

_HOMES = {
    "app_states": "lab.apps.states",
    "Context": "lab.context",
    "Host": "lab.topology",
    "Lab": "lab.topology",
    "Role": "lab.topology",
    "Source": "lab.apps.source",
    "Step": "lab.steps",
    "command": "lab.steps",
    "directory": "lab.steps",
    "file": "lab.steps",
    "line": "lab.steps",
    "packages": "lab.steps",
    "reload": "lab.steps",
    "service": "lab.steps",
    "template": "lab.templates",
    "unpacked_node": "lab.artifacts",
    "Answer": "lab.exercises.scene",
    "Place": "lab.exercises.scene",
    "Scene": "lab.exercises.scene",
    "Wrong": "lab.exercises.checks",
    "check": "lab.exercises.checks",
    "seconds": "lab.quantities",
    "Outcome": "lab.verdict",
    "Lesson": "lab.scenario",
    "Scenario": "lab.scenario",
    "answer_errors": "lab.faults",
    "answer_slowly": "lab.faults",
    "break_config": "lab.faults",
    "crash_loop": "lab.faults",
    "cut_link": "lab.faults",
    "drain": "lab.faults",
    "fill_disk": "lab.faults",
    "flap_link": "lab.faults",
    "kill_process": "lab.faults",
    "limit_cpu": "lab.faults",
    "lose_packets": "lab.faults",
    "pause": "lab.faults",
    "power_off": "lab.faults",
    "reboot": "lab.faults",
    "reject_link": "lab.faults",
    "reload_nginx": "lab.faults",
    "slow_link": "lab.faults",
    "restart_app": "lab.faults",
    "stop_app": "lab.faults",
    "stop_nginx": "lab.faults",
    "after": "lab.expectations",
    "back_within": "lab.expectations",
    "bad_window": "lab.expectations",
    "before": "lab.expectations",
    "duplicate_posts": "lab.expectations",
    "during": "lab.expectations",
    "failed_requests": "lab.expectations",
    "healed": "lab.expectations",
    "latency_p99": "lab.expectations",
    "nothing_left": "lab.expectations",
    "retries": "lab.expectations",
    "share_of": "lab.expectations",
    "stalls": "lab.expectations",
    "steady_again": "lab.expectations",
}

__all__ = [
    "Answer", "Context", "Host", "Lab", "Lesson", "Outcome", "Place", "Role", "Scenario", "Scene", "Source", "Step",
    "Wrong", "after", "answer_errors", "answer_slowly", "app_states", "back_within", "bad_window", "before",
    "break_config", "check", "command", "crash_loop",
    "cut_link", "directory", "drain", "duplicate_posts", "during", "failed_requests", "file", "fill_disk",
    "flap_link", "healed", "kill_process", "latency_p99", "limit_cpu", "line", "lose_packets", "nothing_left",
    "packages", "pause", "power_off", "reboot", "reject_link", "reload", "reload_nginx", "restart_app", "retries",
    "seconds", "service", "share_of", "slow_link", "stalls", "steady_again", "stop_app", "stop_nginx", "template",
    "unpacked_node",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'lab' has no attribute {name!r}") from None
    return getattr(import_module(home), name)
