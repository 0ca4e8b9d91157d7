"""Applications: which one the backends run, and how it gets to them."""

from lab.apps.profile import Profile
from lab.apps.source import Source

__all__ = ["Profile", "Source"]
