"""Node and npm, in the version that lab.toml names."""

from collections.abc import Iterator

from lab import Lab, Step, unpacked_node


def node(lab: Lab) -> Iterator[Step]:
    """The backend can run JavaScript."""
    yield unpacked_node(lab.versions.node)
