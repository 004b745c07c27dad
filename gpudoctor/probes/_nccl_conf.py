"""NCCL's configuration files as the workload's process would read them."""

from __future__ import annotations

from collections.abc import Mapping

from gpudoctor.host.access import Host, HostError
from gpudoctor.readers.nccl_conf import read_settings

SYSTEM_FILE = "/etc/nccl.conf"


def conf_paths(env: Mapping[str, str]) -> tuple[str, ...]:
    """The files in the order in which NCCL reads them; a setting of an earlier one stays.

    NCCL_CONF_FILE (since 2.23) is read instead of ~/.nccl.conf. Source: initEnvFunc in NCCL's src/misc/param.cc.
    """
    own = env.get("NCCL_CONF_FILE") or (f"{env['HOME']}/.nccl.conf" if env.get("HOME") else "")
    return (own, SYSTEM_FILE) if own.startswith("/") else (SYSTEM_FILE,)


def read_conf(host: Host, env: Mapping[str, str]) -> tuple[tuple[str, dict[str, str] | HostError], ...]:
    """Each file that exists with its settings, or the reason why it cannot be read."""
    found: list[tuple[str, dict[str, str] | HostError]] = []
    for path in conf_paths(env):
        # The user's own file lies where programs run; the machine's below its mounted root.
        files = host if path == SYSTEM_FILE else host.unrooted
        try:
            found.append((path, read_settings(files.read(path).decode("utf-8", "replace"))))
        except HostError as error:
            if error.reason != "not_applicable":
                found.append((path, error))
    return tuple(found)
