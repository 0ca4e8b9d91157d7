"""One cluster for all tests of this folder; removed at the end, with proof."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import Cluster

SUBNET = "10.87.0.0/24"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Three members, all online."""
    if "LAB_CLASS" not in os.environ:
        pytest.skip("make test-class")
    with Cluster.make(open_folder(), subnet=SUBNET) as made:
        yield made


def open_folder() -> Path:
    """A folder for a cluster: pytest's own are closed to everybody else, and guests are nobody on this computer."""
    folder = Path(tempfile.mkdtemp(prefix="lab-cluster-"))
    folder.chmod(0o711)
    return folder
