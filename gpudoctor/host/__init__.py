"""The only door to the machine: run a command, read a file, list a folder, the environment."""

from gpudoctor.host.access import Command, DiskUsage, Host, HostError
from gpudoctor.host.local import LocalHost

__all__ = ["Command", "DiskUsage", "Host", "HostError", "LocalHost"]
