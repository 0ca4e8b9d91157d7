"""pm2 keeps the app alive, and starts it again after a reboot."""

from collections.abc import Iterator

from lab import Lab, Step, command, file

SERVE = "sirv-cli@^3"  # serves the files of a build; a missing file is a 404, not the front page
QUIET = """[Service]
Environment=PM2_DISCRETE_MODE=true PM2_DISABLE_VERSION_CHECK=true
"""  # as in profile.sh: without internet it would wait for a name server, 5 s of each boot


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
    yield file(f"/etc/systemd/system/pm2-{user}.service.d/lab.conf", QUIET, then="systemctl daemon-reload")
