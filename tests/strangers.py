"""Machines that neither Vagrant nor the lab has made, as a teacher has them: containers of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import config, process
from lab.apps.profile import resolve
from lab.apps.source import obtain
from lab.boxes import store
from lab.boxes.build import build
from lab.boxes.recipe import recipe_for
from lab.context import context_for
from lab.events import silent
from lab.home import Home
from lab.names import hardware_address
from lab.network import Network, resolv_conf
from lab.topology import Lab
from tests import killed_runs
from tests.realm import Realm

OWNER = "ubuntu"
ROLES = {"akuma": "balancer", "voxy": "backend", "zero": "backend"}
LAST = {"akuma": 10, "voxy": 11, "zero": 12}
_CONFIG = """
lxc.include = /usr/share/lxc/config/common.conf
lxc.apparmor.profile = unconfined
lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed
lxc.signal.halt = SIGRTMIN+4
lxc.rootfs.path = overlay:{base}:{layer}
lxc.uts.name = {name}
lxc.net.0.type = veth
lxc.net.0.link = {bridge}
lxc.net.0.flags = up
lxc.net.0.hwaddr = {mac}
lxc.net.0.ipv4.address = {address}/24
lxc.net.0.ipv4.gateway = {gateway}
"""
_BOOTED = """
for _ in $(seq 300); do
    case $(systemctl is-system-running 2> /dev/null) in running|degraded) exit 0;; esac
    sleep 0.1
done
exit 1
"""
"""A guest runs before its systemd does, and what that still has to start gets in the way of a restart."""
_BARE = """
userdel -f -r vagrant 2> /dev/null
for _ in 1 2 3; do
    left=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' | awk '$1 ~ /nginx|^nftables$/ && $2 != "un" {print $1}')
    test -n "$left" || break
    dpkg --purge --force-all $left 2>&1
done
rm -rf /etc/nginx /var/www /var/log/nginx /usr/local/bin/* /usr/local/lib/node_modules /etc/sudoers.d/vagrant
rm -rf /etc/systemd/system/pm2-* /etc/systemd/system/*/pm2-* /etc/profile.d/lab.sh
rm -rf /usr/local/share/ca-certificates/* /var/lib/lab /srv/git
systemctl daemon-reload
set -e
useradd --create-home --shell /bin/bash $OWNER
echo "$OWNER ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/$OWNER
echo $NAME > /etc/hostname; hostname $NAME
echo "127.0.0.1 localhost $NAME" > /etc/hosts
echo "# the owner's own line" >> /etc/hosts
echo "$RESOLV" > /etc/resolv.conf
install -d -m 700 -o $OWNER -g $OWNER /home/$OWNER/.ssh
echo "$KEY" > /home/$OWNER/.ssh/authorized_keys
echo "the owner's own" > /home/$OWNER/precious
chown -R $OWNER: /home/$OWNER
systemctl stop ssh
systemctl reset-failed ssh 2> /dev/null || true
ssh-keygen -A > /dev/null
systemctl start ssh
"""
"""Everything of the lab's is taken out of the box's layer again: a plain Debian with its owner's account.

The box has no host keys, so its sshd has been failing and starting again ever since the boot: it is stopped first.
"""


@dataclass(frozen=True)
class Strangers:
    """akuma, voxy and zero as somebody's machines, with the user `ubuntu` and a key of his."""

    folder: Path
    lab: Lab
    home: Home

    @classmethod
    def known_by(cls, folder: Path, subnet: int) -> Strangers:
        """Those of a folder, whether they are there or not."""
        lab = config.parse({
            "subnet": f"192.168.{subnet}.0/24",
            "host": [
                {"name": name, "address": f"192.168.{subnet}.{LAST[name]}", "roles": [role]}
                for name, role in ROLES.items()
            ],
        })  # fmt: skip
        return cls(folder, lab, Home(folder))

    @classmethod
    def make(cls, folder: Path, subnet: int) -> Strangers:
        """Start three, on a network with a wall behind it; when that fails, nothing stays."""
        killed_runs.write_down("strangers", folder, subnet=subnet)
        folder.mkdir(parents=True)
        made = cls.known_by(folder, subnet)
        made.home.make()
        process.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made.key)
        try:
            Network(made.lab, made.home).ensure()
            made._start_all()
        except BaseException:
            made.remove()
            raise
        return made

    @property
    def key(self) -> Path:
        """The owner's private key."""
        return self.folder / "owner"

    def realm(self, extra: str = "", **hosts: str) -> Realm:
        """A lab of these machines in a folder beside them; `hosts` are more keys of single hosts."""
        folder = self.folder / "lab"
        folder.mkdir(exist_ok=True)
        tables = "\n".join(
            f'[[host]]\nname = "{host.name}"\naddress = "{host.address}"\nroles = ["{ROLES[host.name]}"]\n'
            f"{hosts.get(host.name, '')}"
            for host in self.lab.hosts
        )
        top = f'name = "test"\nprovider = "existing"\nssh_user = "{OWNER}"\nssh_key = "{self.key}"\n{extra}\n'
        (folder / "lab.toml").write_text(top + tables)
        return Realm(folder, int(str(self.lab.gateway).split(".")[2]))

    def inside(self, name: str, script: str, env: Mapping[str, str] | None = None) -> str:
        """What root's shell on a machine prints, reached past SSH and past the lab."""
        words = [f"--set-var={key}={value}" for key, value in (env or {}).items()]
        done = subprocess.run(
            ["lxc-attach", "--name", self._guest(name), "--clear-env", *words, "--", "sh", "-c", script],
            capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{name}: {script[:200]}: {(done.stdout + done.stderr)[-500:]}"
        return done.stdout.strip()

    def turn_on(self, name: str) -> None:
        """What only the owner can do, once the machine is off."""
        process.as_root("lxc-wait", "--name", self._guest(name), "--state", "STOPPED", "--timeout", "60")
        process.as_root(
            "lxc-start", "--name", self._guest(name), "--rcfile", self.folder / f"{name}.conf", "--daemon"
        )  # fmt: skip

    def are_here(self) -> bool:
        """Whether anything of them is."""
        return self._layers.exists() or bool(self._realm_of_all().leftovers())

    def remove(self) -> None:
        """Take them away, and the network; nothing is left."""
        for name in ROLES:
            process.as_root("lxc-stop", "--name", self._guest(name), "--kill", check=False)
        process.as_root("rm", "-rf", self._layers)
        Network(self.lab, self.home).remove()
        assert self._realm_of_all().leftovers() == []

    def _realm_of_all(self) -> Realm:
        return Realm(self.folder, int(str(self.lab.gateway).split(".")[2]))

    @property
    def _layers(self) -> Path:
        return store.BASES.parent / f"strangers-{self.home.id}"

    def _guest(self, name: str) -> str:
        return f"stranger-{self.home.id}-{name}"

    def _start_all(self) -> None:
        context = context_for(self.lab, obtain(resolve("hello")))
        recipe = recipe_for(context)
        base = store.base_folder(recipe.name)
        if not (base / "complete").exists():
            build(recipe, context, self.home, silent)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda name: self._start(name, base / "rootfs"), ROLES))

    def _start(self, name: str, base: Path) -> None:
        layer = self._layers / name / "layer"
        process.as_root("mkdir", "-p", layer)
        process.as_root("chmod", "755", layer)
        (self.folder / f"{name}.conf").write_text(
            _CONFIG.format(
                mac=hardware_address(self.home, name), base=base, layer=layer, name=name,
                bridge=Network(self.lab, self.home).bridge, address=self.lab[name].address, gateway=self.lab.gateway,
            )
        )  # fmt: skip
        self.turn_on(name)
        process.as_root("lxc-wait", "--name", self._guest(name), "--state", "RUNNING", "--timeout", "20")
        self.inside(name, _BOOTED)
        public = self.key.with_suffix(".pub").read_text().strip()
        env = {"OWNER": OWNER, "NAME": name, "KEY": public, "RESOLV": resolv_conf(self.lab)}
        self.inside(name, _BARE, env)
