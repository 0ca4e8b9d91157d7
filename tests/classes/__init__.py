"""Classes on a cluster of three LXD members, which are namespaces of this computer. Not part of `make test`."""
