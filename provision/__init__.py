"""What each host of the lab shall be like. Read `plan` first: it is the whole lab in ten lines."""

from collections.abc import Iterator

from lab import Context, Host, Role, Step
from provision import app, base, nginx, node, pm2


def plan(context: Context, host: Host) -> Iterator[Step]:
    """The states of one host, in the order in which they are brought about."""
    yield from base.every_host(context, host)
    if host.is_a(Role.BACKEND):
        yield from node.node(context.lab)
        yield from pm2.pm2(context.lab)
        yield from app.app(context)
    if host.is_a(Role.BALANCER):
        yield from nginx.balancer(context.lab)


def box_plan(context: Context) -> Iterator[Step]:
    """The states of the guest that becomes the box: all that does not depend on which host it will be."""
    yield from base.everywhere(context)
    yield from nginx.installed()
    yield from node.node(context.lab)
    yield from pm2.pm2(context.lab)
    yield from app.installed(context)
