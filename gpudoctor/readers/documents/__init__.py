"""One file = one kind of block that can stand in a paste; each has a `DOCUMENT`."""
