"""Derived facts: several sources joined, and what follows from them. Pure functions, one file a section."""
