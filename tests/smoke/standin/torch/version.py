"""As the machine file says."""

from ._machine import MACHINE

__version__ = MACHINE.torch
cuda = MACHINE.cuda
hip = None
