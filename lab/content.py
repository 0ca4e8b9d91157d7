"""Finds what the lab ships beside its engine: templates, provision steps, apps, scenarios."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from jinja2 import Environment, StrictUndefined

from lab.errors import EnvironmentProblem


def root() -> Path:
    """The folder with the content: the checkout, or `lab/_content` of an installed package."""
    package = Path(__file__).parent
    for folder in (package / "_content", package.parent):
        if (folder / "Vagrantfile.j2").exists():
            return folder
    raise EnvironmentProblem(f"{package}: the lab's templates are missing", "install the lab again")


def load(name: str) -> ModuleType:
    """A content package, as `provision`, imported from the content folder."""
    if name in sys.modules:
        return sys.modules[name]
    folder = root() / name
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise EnvironmentProblem(f"{folder}: cannot be loaded", "install the lab again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def render(path: str, **values: Any) -> str:
    """A template of the content folder with its values; an unknown name in it is an error."""
    return render_file(root() / path, **values)


def render_file(path: Path, **values: Any) -> str:
    """A template with its values; an unknown name in it is an error."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["number"] = lambda value: f"{value:g}"
    return environment.from_string(path.read_text(encoding="utf-8")).render(**values)
