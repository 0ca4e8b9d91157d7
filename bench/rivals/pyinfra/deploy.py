"""The three machines by pyinfra: nginx on akuma balances over voxy and zero."""

from pathlib import Path

from pyinfra import host, inventory
from pyinfra.facts.files import File
from pyinfra.facts.server import Command, Which
from pyinfra.operations import apt, files, server, systemd

APP = Path.cwd().parents[2] / "apps" / "hello"

for other in inventory:
    files.line(
        name=f"{other.data.name} in /etc/hosts", path="/etc/hosts", line=f"{other.name} {other.data.name}",
    )  # fmt: skip

if "backends" in host.groups:
    if not host.get_fact(Which, command="npm"):
        apt.packages(name="Node and npm", packages=["nodejs", "npm"], update=True, cache_time=3600, no_recommends=True)
    if not host.get_fact(Which, command="pm2"):
        server.shell(
            name="pm2",
            commands="npm install --global --no-audit --no-fund --loglevel=error --prefix /usr/local pm2@7",
        )
    app = files.sync(name="the app", src=str(APP), dest="/home/vagrant/hello", user="vagrant", group="vagrant")
    running = host.get_fact(
        Command, command="pm2 pid hello 2>/dev/null | tail -n 1", _sudo_user="vagrant", _use_sudo_login=True
    )
    server.shell(
        name="the app runs under pm2",
        commands="cd ~/hello && pm2 startOrReload ecosystem.config.js && pm2 save --force",
        _sudo_user="vagrant",
        _use_sudo_login=True,
        _if=lambda: app.did_change() or (running or "").strip() in ("", "0"),
    )
    if not host.get_fact(File, path="/etc/systemd/system/pm2-vagrant.service"):
        server.shell(
            name="pm2 starts at boot", commands="/usr/local/bin/pm2 startup systemd -u vagrant --hp /home/vagrant"
        )

if "balancers" in host.groups:
    apt.packages(name="nginx", packages=["nginx"], update=True, cache_time=3600, no_recommends=True)
    site = files.template(
        name="the site",
        src=str(Path.cwd() / "templates" / "akuma.conf.j2"),
        dest="/etc/nginx/conf.d/akuma.conf",
        own=host.name,
        backends=[other.name for other in inventory.get_group("backends")],
    )
    systemd.service(name="nginx runs", service="nginx", running=True, enabled=True)
    systemd.service(name="nginx knows the site", service="nginx", reloaded=True, _if=site.did_change)
