"""Tests that need no machine, no root and no network."""
