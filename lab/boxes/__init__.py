"""Boxes: what guests are copied from. Ours for LXC is built here; public ones serve virtual machines."""
