"""Ratios, always from one run: absolute times depend on the machine, ratios hardly do."""
