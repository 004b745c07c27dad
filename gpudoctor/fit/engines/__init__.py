"""One file an engine: how it divides the memory of a card."""
