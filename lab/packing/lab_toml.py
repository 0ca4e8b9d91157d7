"""The lab.toml that goes into a pack: the lab as it is here, as other computers can have it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from lab import config
from lab.errors import UsageError
from lab.topology import Engine, Lab, ProviderName

_HEAD = "# The lab of this room, written by `lab pack`. With offline = true nothing here asks the internet.\n"


def toml_for(lab: Lab, app: str, provider: ProviderName) -> bytes:
    """The text: only what differs from the built-in lab; it does without internet.

    Certificates that this computer's guests trust besides are left out: they are for the internet.

    Args:
        lab: as it is here.
        app: how other computers name its app.
        provider: whose box the pack has.

    Raises:
        UsageError: the lab cannot be said in TOML.
    """
    room = replace(lab, app=replace(lab.app, name=app), ca_bundle="", provider=provider, offline=True, engine=Engine())
    table = TypeAdapter(Lab).dump_python(room, mode="json", exclude_defaults=True)
    text = _HEAD + "\n".join(_lines(table))
    if config.parse_text(text) != room:
        raise UsageError("this lab cannot be written as a lab.toml", "leave unusual characters out of lab.toml")
    return text.encode()


def _lines(table: dict[str, Any]) -> list[str]:
    """Plain keys, then a table for each class, then the hosts."""
    plain = {key: value for key, value in table.items() if not _is_table(value)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if _is_table(value):
            for each in value if isinstance(value, list) else [value]:
                lines += ["", f"[[{key}]]" if isinstance(value, list) else f"[{key}]"]
                lines += [f"{name} = {_value(inner)}" for name, inner in each.items()]
    return [*lines, ""]


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


def _value(value: Any) -> str:
    """A number, a truth, a text or a list of them; JSON writes these as TOML does."""
    return json.dumps(value, ensure_ascii=False)
