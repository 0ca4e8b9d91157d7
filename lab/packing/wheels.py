"""The lab itself and all that it needs of Python, as wheels: for a computer that has no lab yet."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import platform
import re
import sys
import tempfile
import zipfile
from pathlib import Path

from lab import content, home, process
from lab.errors import CommandFailed, EnvironmentProblem

DISTRIBUTION = "failover-lab"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_PIP_S = 900
_OF_AN_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")


def version() -> str:
    """The lab's version."""
    return importlib.metadata.version(DISTRIBUTION)


def wheels(folder: Path) -> tuple[Path, ...]:
    """The wheels of the lab, of everything that it depends on, and of pip, for this Python and processor.

    The dependencies have the versions that are installed here; they are kept in the cache.

    Args:
        folder: an empty folder for the lab's own wheel.

    Raises:
        EnvironmentProblem: pip cannot get or build them.
    """
    own = own_wheel(folder)
    pins = _pins()
    key = hashlib.sha256("\n".join([PYTHON, platform.machine(), _requirements(), pins]).encode()).hexdigest()[:12]
    kept = home.cache() / "wheels" / key
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            constraints = Path(scratch) / "constraints.txt"
            constraints.write_text(pins, encoding="utf-8")
            fresh = Path(scratch) / "wheels"
            _pip("wheel", "-q", "-w", fresh, "-c", constraints, own, "pip")
            (fresh / own.name).unlink(missing_ok=True)
            fresh.rename(kept)
    return (own, *sorted(kept.glob("*.whl")))


def own_wheel(folder: Path) -> Path:
    """The lab as a wheel: built from the checkout, or put together from the installed package."""
    checkout = content.root()
    if (checkout / "pyproject.toml").exists():
        _pip("wheel", "-q", "--no-deps", "-w", folder, checkout)
        return next(folder.glob("*.whl"))
    return packed_again(importlib.metadata.distribution(DISTRIBUTION), folder)


def packed_again(installed: importlib.metadata.Distribution, folder: Path) -> Path:
    """The wheel that an installed pure Python package came from, as far as it matters."""
    title = re.sub(r"[-_.]+", "_", installed.metadata["Name"]).lower()
    path = folder / f"{title}-{installed.version}-py3-none-any.whl"
    records = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in installed.files or ():
            name = file.as_posix()
            if file.name in _OF_AN_INSTALLATION or "__pycache__" in file.parts or name.startswith(("..", "/")):
                continue
            bytes_ = Path(str(file.locate())).read_bytes()
            wheel.writestr(name, bytes_)
            digest = base64.urlsafe_b64encode(hashlib.sha256(bytes_).digest()).rstrip(b"=").decode()
            records.append(f"{name},sha256={digest},{len(bytes_)}")
        record = f"{title}-{installed.version}.dist-info/RECORD"
        wheel.writestr(record, "\n".join([*records, f"{record},,", ""]))
    return path


def _requirements() -> str:
    return "\n".join(sorted(importlib.metadata.requires(DISTRIBUTION) or ()))


def _pins() -> str:
    """A line for pip for each package that is installed here."""
    found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
    return "".join(f"{name}=={found[name]}\n" for name in sorted(found) if name and name != DISTRIBUTION)


def _pip(*words: str | Path) -> None:
    try:
        process.run(sys.executable, "-m", "pip", "--disable-pip-version-check", *words, timeout_s=_PIP_S)
    except CommandFailed as fault:
        said = [line for line in fault.result.last_lines.splitlines() if line.startswith("ERROR")]
        raise EnvironmentProblem(
            f"the wheels cannot be gathered with pip: {' '.join(said) or fault.result.last_lines}",
            "check the connection; where pip itself is missing, `python -m ensurepip` brings it",
        ) from None
