"""A pack as a file: an ordinary tar to whoever writes or unpacks it, and to us only the bytes that it must be."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.errors import EnvironmentProblem
from lab.packing import archive
from lab.packing.archive import PackRefused
from lab.packing.manifest import Manifest, PackedFile
from tests.unit.packs import CONTENT, pack_of


def _read(path: Path) -> dict[str, bytes]:
    with path.open("rb") as pack:
        manifest, _ = archive.head_of(pack, path.name)
        return {file.path: b"".join(chunks) for file, chunks in archive.contents(pack, manifest, path.name)}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A pack as it must be."""
    return pack_of(tmp_path)


def test_what_is_written_is_read(whole: Path) -> None:
    """Every file with its bytes, the empty one too."""
    assert _read(whole) == CONTENT


def test_any_tar_unpacks_it_and_its_sums_fit(whole: Path, tmp_path: Path) -> None:
    """Without the lab: tar and sha256sum are enough to install from it."""
    subprocess.run(["tar", "-xf", whole, "-C", tmp_path], check=True, capture_output=True)
    assert {name: (tmp_path / name).read_bytes() for name in CONTENT} == CONTENT
    assert (tmp_path / "install.sh").stat().st_mode & 0o777 == 0o755
    said = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert said.stdout.count(": OK") == len(CONTENT) + 1


def test_equal_contents_are_equal_bytes(whole: Path, tmp_path: Path) -> None:
    """Neither the hour nor the writer is in it."""
    assert pack_of(tmp_path / "again").read_bytes() == whole.read_bytes()


def test_half_a_pack_is_refused_wherever_it_ends(whole: Path) -> None:
    """At every block, and within blocks: also where only the end of the tar is missing."""
    full = whole.read_bytes()
    for end in {0, 1, 511, 512, 700, 5000, *range(1024, len(full), 512), len(full) - 1, len(full) - 513}:
        whole.write_bytes(full[:end])
        with pytest.raises(PackRefused, match=r"is no pack|beginning|manifest|does not fit|only a part of"):
            _read(whole)


def test_half_a_pack_is_told_by_its_length(whole: Path) -> None:
    """With what is there and what there must be, and the mend."""
    full = whole.read_bytes()
    whole.write_bytes(full[:-4096])
    with pytest.raises(PackRefused) as caught:
        _read(whole)
    expected = f"room.lab: is only a part of the pack: {len(full) - 4096} of {len(full)} bytes"
    assert caught.value.message == expected
    assert "copy it again" in caught.value.mend


def test_one_changed_byte_is_found_wherever_it_is(whole: Path) -> None:
    """In contents, headers, padding and the end; every seventh byte is tried."""
    full = whole.read_bytes()
    for place in range(0, len(full), 7):
        spoilt = bytearray(full)
        spoilt[place] ^= 1
        whole.write_bytes(spoilt)
        with pytest.raises(PackRefused):
            _read(whole)


def test_a_changed_file_is_named(whole: Path) -> None:
    """So that one knows what it was."""
    whole.write_bytes(whole.read_bytes().replace(b"bundlebundle", b"bundleBundle", 1))
    with pytest.raises(PackRefused, match=r"the checksum of packed/my\.bundle does not fit"):
        _read(whole)


def _link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.SYMTYPE, "/etc/passwd", 0


def _device(info: tarfile.TarInfo) -> None:
    info.type, info.devmajor, info.size = tarfile.CHRTYPE, 1, 0


def _outside(info: tarfile.TarInfo) -> None:
    info.name = "../../etc/cron.d/x"


def _absolute(info: tarfile.TarInfo) -> None:
    info.name = "/etc/cron.d/x"


def _hard_link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname, info.size = tarfile.LNKTYPE, "README.txt", 0


def _setuid(info: tarfile.TarInfo) -> None:
    info.mode = 0o4755


@pytest.mark.parametrize("spoil", [_link, _device, _outside, _absolute, _hard_link, _setuid])
def test_nothing_but_plain_files_in_their_places(whole: Path, spoil: Callable[[tarfile.TarInfo], None]) -> None:
    """What a hostile tar may hold is a difference, wherever the manifest expects a file."""
    altered = io.BytesIO()
    with tarfile.open(whole) as before, tarfile.open(fileobj=altered, mode="w", format=tarfile.GNU_FORMAT) as after:
        for info in before:
            text = before.extractfile(info)
            if info.name == "lab.toml":
                spoil(info)
            after.addfile(info, text)
    whole.write_bytes(altered.getvalue())
    with pytest.raises(PackRefused, match=r"was damaged or altered|only a part of|was altered"):
        _read(whole)


def test_a_file_too_many_is_refused(whole: Path) -> None:
    """Appended by tar itself."""
    extra = whole.parent / "extra"
    extra.write_text("x" * 20000)
    subprocess.run(["tar", "-rf", whole, "-C", whole.parent, "extra"], check=True)
    with pytest.raises(PackRefused, match="was altered"):
        _read(whole)


def test_a_missing_file_is_refused(whole: Path) -> None:
    """Deleted by tar itself."""
    subprocess.run(["tar", "--delete", "-f", whole, "packed/my.bundle"], check=True)
    with pytest.raises(PackRefused, match=r"only a part of|is not where it must be"):
        _read(whole)


@pytest.mark.parametrize("found", [0, 2, 99])
def test_another_format_is_told_as_that(tmp_path: Path, found: int) -> None:
    """Not as damage; a later one brings its own lab."""
    path = pack_of(tmp_path, format=found)
    with pytest.raises(PackRefused, match=f"is a pack of format {found}, and this lab reads format 1") as caught:
        _read(path)
    assert ("install.sh" in caught.value.mend) is (found > 1)


def test_a_later_format_may_say_other_things(whole: Path) -> None:
    """Only the name and sums of its manifest must be as they are today."""
    with whole.open("rb") as pack:
        files = archive.head_of(pack, "x")[0].files
    text = b'{"format": 2, "mood": "sunny"}'
    sums = f"{archive.hashlib.sha256(text).hexdigest()}  manifest.json\nsomething else\n".encode()  # type: ignore[attr-defined]
    parts = [archive._header(name, len(each)) + each + archive._padding(len(each))
             for name, each in (("manifest.json", text), ("SHA256SUMS", sums))]  # fmt: skip
    assert files
    whole.write_bytes(b"".join(parts) + bytes(10240))
    with pytest.raises(PackRefused, match="is a pack of format 2"):
        _read(whole)


@pytest.mark.parametrize("text", [b"", b"hello", b"x" * 5000, bytes(20480)])
def test_what_is_no_pack_is_told_as_that(tmp_path: Path, text: bytes) -> None:
    """Whatever it is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(text)
    with pytest.raises(PackRefused, match=r"notes\.txt: is no pack of the lab"):
        _read(path)


def test_another_tar_is_no_pack(whole: Path) -> None:
    """Though its first file has the right name."""
    with tarfile.open(whole, "w") as other:
        info = tarfile.TarInfo("manifest.json")
        info.size = 2
        other.addfile(info, io.BytesIO(b"{}"))
    with pytest.raises(PackRefused, match="is no pack"):
        _read(whole)


def test_a_file_that_changes_while_it_is_packed(tmp_path: Path) -> None:
    """Is told; the pack would be refused later."""
    source = tmp_path / "README.txt"
    source.write_text("new")
    files = (PackedFile("README.txt", 3, "0" * 64),)
    manifest = Manifest(1, "1", "Linux", "x", "", "3.11", "", "lxc", (), (), files)
    with pytest.raises(EnvironmentProblem, match="changed while it was packed"):
        archive.write(io.BytesIO(), manifest, [source], lambda count: None)
