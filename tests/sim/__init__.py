"""Simulated machines at the level of the driver's libraries: see README.md."""
