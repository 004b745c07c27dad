"""One file = one output format; the module name is the name for `--format`."""
