"""The only door to the machine: run a command, read a file, list a folder, the environment."""

from gpudoctor.host.access import Command, DiskUsage, Host, HostError
from gpudoctor.host.local import LocalHost
from gpudoctor.host.replay import ReplayHost

__all__ = ["Command", "DiskUsage", "Host", "HostError", "LocalHost", "ReplayHost"]
