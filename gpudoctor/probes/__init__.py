"""One file = one probe, found by directory. A probe asks the host and returns sections of facts."""
