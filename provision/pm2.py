"""pm2 keeps the app alive, and starts it again after a reboot."""

from collections.abc import Iterator

from lab import Lab, Step, command, file

SERVE = "sirv-cli@^3"  # serves the files of a build; a missing file is a 404, not the front page


def pm2(lab: Lab) -> Iterator[Step]:
    """pm2 is installed and starts with the machine."""
    user = lab.app.user
    yield command(
        f"pm2 {lab.versions.pm2}", "npm install --global --no-audit --no-fund --loglevel=error %s %s",
        f"pm2@{lab.versions.pm2}", SERVE, unless="test -x /usr/local/bin/pm2 -a -x /usr/local/bin/sirv",
        env={"NODE_EXTRA_CA_CERTS": "/etc/ssl/certs/ca-certificates.crt"}, network=True,
    )  # fmt: skip
    yield command(
        "pm2 starts at boot", "pm2 startup systemd -u %s --hp %s", user, f"/home/{user}",
        unless=f"systemctl is-enabled pm2-{user}",
    )  # fmt: skip


def only_with_apps(lab: Lab) -> Iterator[Step]:
    """In the box, where there is none yet: pm2 starts with the machine once an app is saved.

    On a busy computer it would still be at it when the app is started for the first time, and two pm2 that start each
    other's daemon wait for ever (seen in 1 of 6 machines made at once).
    """
    user = lab.app.user
    yield file(
        f"/etc/systemd/system/pm2-{user}.service.d/saved.conf",
        f"[Unit]\nConditionPathExists=/home/{user}/.pm2/dump.pm2\n", then="systemctl daemon-reload",
    )  # fmt: skip
