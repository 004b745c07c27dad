"""NCCL's configuration files, /etc/nccl.conf and ~/.nccl.conf: NAME=value lines that NCCL puts into the environment.

Source: setEnvFile in NCCL's src/misc/param.cc. The name ends at the first "="; nothing is stripped but the line's end.
"""

from __future__ import annotations

MAX_LINES = 1000
_MAX_CHARACTERS = 1023  # of a name and of a value; NCCL cuts the rest off


def read_settings(text: str) -> dict[str, str]:
    r"""The settings of a file; the first of a name counts, as NCCL never overwrites what is set.

    >>> read_settings("# comment\nNCCL_SOCKET_IFNAME==ens1f0\n")
    {'NCCL_SOCKET_IFNAME': '=ens1f0'}
    """
    settings: dict[str, str] = {}
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        name, equals, value = line.removesuffix("\r").partition("=")
        if equals and not name.startswith("#"):
            settings.setdefault(name[:_MAX_CHARACTERS], value[:_MAX_CHARACTERS])
    return settings
