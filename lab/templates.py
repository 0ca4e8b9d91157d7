"""The template step: a file whose content is a template of `provision/templates/`."""

from __future__ import annotations

from typing import Any

from lab import content
from lab.steps import Step, file


def template(
    name: str, *, to: str, mode: str = "644", owner: str = "root:root", check: str = "", then: str = "", **values: Any
) -> Step:
    """A file rendered from a template; `check` may refuse it, `then` makes it known."""
    text = content.render(f"provision/templates/{name}", **values)
    return file(to, text, mode=mode, owner=owner, check=check, then=then)
