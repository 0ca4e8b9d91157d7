"""What every host has: basic tools, the names of its neighbours, and this computer's way to the internet."""

from collections.abc import Iterator

from lab import Context, Host, Step, command, file, packages, template

CA_FILE = "/usr/local/share/ca-certificates/lab.crt"
ALL_CAS = "/etc/ssl/certs/ca-certificates.crt"


def everywhere(context: Context) -> Iterator[Step]:
    """The same on all hosts, and in the box."""
    user = context.lab.app.user
    if context.proxies:
        yield template("apt-proxy.conf.j2", to="/etc/apt/apt.conf.d/90lab-proxy", proxies=context.proxies)
    yield packages("ca-certificates", "curl", "git", "iproute2", "procps", "nftables")
    if context.ca_bundle:
        yield file(CA_FILE, context.ca_bundle, then="update-ca-certificates")
    yield template(
        "environment.j2", to="/etc/environment", proxies=context.proxies, ca=ALL_CAS if context.ca_bundle else ""
    )
    yield template("profile.sh.j2", to="/etc/profile.d/lab.sh")
    yield command(
        f"user {user}", "useradd --create-home --shell /bin/bash %s", user, unless=f"id -u {user}",
    )  # fmt: skip


def every_host(context: Context, host: Host) -> Iterator[Step]:
    """The same on all hosts, and the names of all machines."""
    yield from everywhere(context)
    yield template("hosts.j2", to="/etc/hosts", lab=context.lab, host=host)
