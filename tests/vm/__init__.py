"""Virtual machines that really boot: minutes for each start where KVM does not work. Not part of `make test`."""
