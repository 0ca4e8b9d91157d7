"""Tests on real machines: LXC guests on a network of their own, removed also when a test fails."""
