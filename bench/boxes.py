"""The two boxes that our rivals boot: a bare Debian, and our own with Node, pm2 and nginx in it already.

Both are overlays by the same template as the lab's box and are unpacked before a clock starts, so a guest of a rival
boots at the same cost as one of ours. Vagrant's well-known key lets in, as with any public box.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lab import content, home, process
from lab.apps.profile import resolve
from lab.apps.source import obtain
from lab.boxes import store
from lab.boxes.build import make_base, template_of
from lab.boxes.recipe import recipe_for
from lab.context import Context, context_for
from lab.network import resolv_conf
from lab.topology import Lab

BARE, PREBUILT = "rival-bare", "rival-prebuilt"
INSECURE_KEY = Path.home() / ".vagrant.d" / "insecure_private_key"
APT_S = 300

_LET_IN = """
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
cat >/home/vagrant/.ssh/authorized_keys
chown vagrant:vagrant /home/vagrant/.ssh/authorized_keys
ssh-keygen -q -A
"""
OWN_NAME = "libnss-myhostname"
"""A host resolves its own name: without it sudo asks the name server first, and each command of a rival waits."""
_EXTRAS = f"export DEBIAN_FRONTEND=noninteractive; apt-get update -q; apt-get install -qy python3 {OWN_NAME}"


@contextmanager
def rival_boxes(*names: str) -> Iterator[None]:
    """The named boxes while a part runs; removed afterwards, from Vagrant too.

    Our own box must be there: `lab box build --app hello` makes it.
    """
    lab = Lab()
    context = context_for(lab, obtain(resolve("hello")))
    try:
        for name in names:
            root = store.base_folder(name) / "rootfs"
            process.as_root("rm", "-rf", root.parent)
            process.as_root("mkdir", "-p", root.parent)
            _fill(name, root, context)
            _say_who(root, context)
            process.as_root("touch", root.parent / "complete")
            _add(name)
        yield
    finally:
        for name in names:
            process.run("vagrant", "box", "remove", "--force", "--all", name, check=False)
            process.as_root("rm", "-rf", store.base_folder(name))


def _fill(name: str, root: Path, context: Context) -> None:
    recipe = recipe_for(context)
    if name == BARE:
        make_base(replace(recipe, packages=(*recipe.packages, OWN_NAME)), root)
        return
    process.as_root("cp", "-a", store.base_folder(recipe.name) / "rootfs", root, timeout_s=300)
    process.as_root("tee", root / "etc" / "resolv.conf", stdin=resolv_conf(context.lab))
    process.as_root("chroot", root, "sh", "-ec", _EXTRAS, timeout_s=APT_S)  # Ansible needs it on each host


def _say_who(root: Path, context: Context) -> None:
    """What every public box brings: a way in, host keys, a resolver; and this computer's way to the internet."""
    public = process.run("ssh-keygen", "-y", "-f", INSECURE_KEY).stdout
    process.as_root("chroot", root, "sh", "-ec", _LET_IN, stdin=public)
    process.as_root("tee", root / "etc" / "resolv.conf", stdin=resolv_conf(context.lab))
    process.as_root("rm", "-f", root / "etc" / "hostname")
    process.as_root("tee", root / "etc" / "hosts", stdin="127.0.0.1 localhost\n")
    npm = [f"{name.replace('_', '-').replace('http-', '')}={value}" for name, value in context.proxies.items()]
    if context.ca_bundle:
        process.as_root("tee", root / "etc" / "school.pem", stdin=context.ca_bundle)
        npm.append("cafile=/etc/school.pem")
    process.as_root("tee", root / "root" / ".npmrc", stdin="\n".join(npm) + "\n")
    if context.proxies:
        text = content.render("provision/templates/apt-proxy.conf.j2", proxies=context.proxies)
        process.as_root("tee", root / "etc" / "apt" / "apt.conf.d" / "90proxy", stdin=text)


def _add(name: str) -> None:
    """Give the box to Vagrant. Its archive is empty, for the template finds it unpacked."""
    with tempfile.TemporaryDirectory(dir=home.cache()) as scratch:
        inside = Path(scratch) / "inside"
        inside.mkdir()
        (inside / "metadata.json").write_text(json.dumps({"provider": "lxc", "version": "1.0.0"}))
        (inside / "lxc-template").write_text(template_of(name))
        (inside / "lxc-template").chmod(0o755)
        (inside / "rootfs.tar.gz").touch()
        box = Path(scratch) / f"{name}.box"
        process.run("tar", "-C", inside, "-cf", box, ".")
        process.run("vagrant", "box", "add", "--force", "--name", name, box)
