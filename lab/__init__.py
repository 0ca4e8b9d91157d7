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
    from lab.steps import Step, command, directory, file, line, packages, reload, service
    from lab.templates import template
    from lab.topology import Host, Lab, Role

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
}

__all__ = [
    "Context", "Host", "Lab", "Role", "Source", "Step", "app_states", "command", "directory", "file", "line",
    "packages", "reload", "service", "template", "unpacked_node",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'lab' has no attribute {name!r}") from None
    return getattr(import_module(home), name)
