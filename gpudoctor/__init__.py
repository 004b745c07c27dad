"""gpudoctor: name the root cause of a broken multi-GPU run, and print the fix for this machine."""

__version__ = "0.1.0"
