"""LXD as the lab sees it: who may ask it, what it has room for, the image and the networks of the labs in it."""
