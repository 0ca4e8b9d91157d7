"""The application: cloned with git, its dependencies installed, running under pm2."""

from collections.abc import Iterator

from lab import Context, Step, app_states


def app(context: Context) -> Iterator[Step]:
    """The backend serves the app."""
    if context.source:
        yield from app_states(context.lab, context.source)


def installed(context: Context) -> Iterator[Step]:
    """The app is there, but does not run: for the box, and only where its dependencies take long."""
    if context.source and context.source.dependencies and context.lab.app.mode == "dev":
        yield from app_states(context.lab, context.source, start=False)
