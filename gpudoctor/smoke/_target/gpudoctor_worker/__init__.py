"""One rank of the smoke run: torch and the standard library only, Python 3.8 or newer.

main.py is the process, worker.py the phases in their order; every other file is one thing that a phase needs.
"""
