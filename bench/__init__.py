"""Every figure of the README."""
