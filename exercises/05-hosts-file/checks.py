"""What is looked at in the exercise on /etc/hosts."""

from __future__ import annotations

import re

from lab import Place, Scene, Wrong, check


@check(points=1)
def site_is_up(scene: Scene) -> None:
    """akuma serves the site to whoever asks for it by name."""
    answer = scene.visit(name=scene.domain)
    if not answer.status:
        raise Wrong("site-down", error=answer)
    if answer.status != 200 or scene.token not in answer.text:
        raise Wrong("site-changed", status=answer, evidence=answer.text)


@check(points=4)
def voxy_knows_the_name(scene: Scene) -> None:
    """On voxy your domain stands for akuma's address, and for no other."""
    voxy, akuma = scene["voxy"], scene["akuma"]
    found = addresses_of(voxy, scene.domain)
    if found == [akuma.address]:
        return
    seen = ", ".join(found) or "-"
    line = line_with(voxy, scene.domain)
    if akuma.address in found:
        raise Wrong("two-addresses", found=seen)
    if any(address.startswith("127.") or address == "::1" for address in found):
        raise Wrong("loopback", found=seen)
    if line.startswith("#"):
        raise Wrong("commented-out", line=line)
    if re.search(rf"://\S*{re.escape(scene.domain)}|{re.escape(scene.domain)}[:/]", line):
        raise Wrong("not-a-name", line=line)
    if line and not re.match(r"[0-9a-fA-F:.]+\s", line):
        raise Wrong("turned-round", line=line)
    if line and found:
        raise Wrong("other-address", found=seen, line=line)
    if line:
        raise Wrong("near-miss", line=line)
    if akuma.address in addresses_of(akuma, scene.domain):
        raise Wrong("line-on-akuma", found=seen)
    raise Wrong("unknown", found=seen)


@check(points=3, after=[site_is_up, voxy_knows_the_name])
def voxy_opens_the_page(scene: Scene) -> None:
    """A visitor on voxy opens the site by its name."""
    answer = scene["voxy"].visit(f"http://{scene.domain}/")
    if not answer.status:
        raise Wrong("page-unreachable", error=answer)
    if answer.status != 200 or scene.token not in answer.text:
        raise Wrong("other-page", status=answer, evidence=answer.text)


@check(points=2)
def other_names_stay(scene: Scene) -> None:
    """The other names that voxy knew, it still knows."""
    voxy = scene["voxy"]
    if "127.0.0.1" not in addresses_of(voxy, "localhost"):
        raise Wrong("name-lost", name="localhost", address="127.0.0.1")
    for name in ("akuma", "zero"):
        address = str(scene.lab[name].address)
        if address not in addresses_of(voxy, name):
            raise Wrong("name-lost", name=name, address=address)


def addresses_of(place: Place, name: str) -> list[str]:
    """The addresses that a name stands for on a host."""
    said = place.sh("timeout 1 getent ahosts %s", name).stdout
    return sorted({line.split()[0] for line in said.splitlines() if line.strip()})


def line_with(place: Place, name: str) -> str:
    """The last line of a host's /etc/hosts that holds a name, or something like it; empty when none does."""
    lines = place.sh("cat /etc/hosts").stdout.splitlines()
    label = name.partition(".")[0]
    about = rf"{re.escape(name)}|{re.escape(label)}\.|{re.escape(label)}\S*\.{re.escape(name.rpartition('.')[2])}\b"
    return next((line.strip() for line in reversed(lines) if re.search(about, line)), "")
