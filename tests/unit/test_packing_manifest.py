"""The manifest of a pack: it can name only what a pack may hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.packing.manifest import Manifest, PackedFile, decoded, fingerprint, format_of, sums

BOX = "lab-lxc-0123456789ab"
FILES = (PackedFile("README.txt", 3, "0" * 64), PackedFile(f"boxes/{BOX}.box", 7, "1" * 64))
MANIFEST = Manifest(1, "0.1.0", "Linux", "x86_64", "Debian", "3.11", "2026", "lxc", ("my",), (BOX,), FILES)


def _changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(MANIFEST.encoded()), **changes}).encode()


def test_what_is_encoded_is_decoded() -> None:
    """And its files are found by folder."""
    assert decoded(MANIFEST.encoded()) == MANIFEST
    assert MANIFEST.of("boxes") == FILES[1:]
    assert MANIFEST.bytes == 10


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "boxes/../../x.box", "boxes/other.box", f"boxes/{BOX}.box/x", "wheels/.whl", "made/x.tar",
     "wheels/a/b.whl", "packed/.json", "packed/boxes/x.json", "README.txt\n", "readme.txt", "",
     "packed/boxes/../x.json", "manifest.json", "SHA256SUMS", "etc/x.sh"],
)  # fmt: skip
def test_no_other_path_can_be_named(path: str) -> None:
    """Whatever a pack says, nothing is ever written elsewhere."""
    with pytest.raises(ValueError, match="which no pack holds"):
        decoded(_changed(files=[{"path": path, "bytes": 1, "sha256": "0" * 64}]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mood": "sunny"}, "unknown field"), ({"tool": ""}, "tool"), ({"machine": "x86 64"}, "machine"),
        ({"python": "3"}, "python"), ({"boxes": []}, "boxes"), ({"boxes": [BOX, "lab-lxc-" + "f" * 12]}, "boxes"),
        ({"files": [{"path": "README.txt", "bytes": -1, "sha256": "0" * 64}]}, "bytes"),
        ({"files": [{"path": "README.txt", "bytes": 1, "sha256": "zz"}]}, "sha256"),
        ({"files": [{"path": "README.txt", "bytes": 1, "sha256": "0" * 64}] * 2}, "twice"), ({"apps": 5}, "apps"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(changes: dict[str, Any], said: str) -> None:
    """Each value has its form."""
    with pytest.raises(ValueError, match=said):
        decoded(_changed(**changes))


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    """Without a crash, and without a format."""
    with pytest.raises(ValueError):
        decoded(text)
    assert format_of(text) is None


def test_the_format_is_known_of_any_manifest() -> None:
    """Also of one with keys that we do not know."""
    assert format_of(b'{"mood": "sunny", "format": 7}') == 7


def test_the_fingerprint_stands_for_every_file() -> None:
    """It is the first line of the sums, and another when a single checksum is another."""
    text = MANIFEST.encoded()
    assert sums(text, FILES).decode().splitlines()[0] == f"{fingerprint(text)}  manifest.json"
    assert fingerprint(_changed(files=[])) != fingerprint(text)
