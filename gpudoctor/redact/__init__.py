"""What leaves the machine in a snapshot: identifying values become pseudonyms, the same value the same pseudonym.

Nothing is loaded with the package: every check asks `hints`, and only a snapshot needs the rest.
"""
