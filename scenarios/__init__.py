"""Scenarios: one file each, to be read by students."""
