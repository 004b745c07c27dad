"""The allow-listed part of the environment that the workload's process would get.

Addresses (MASTER_ADDR, VLLM_HOST_IP) are kept: the user must see which one is wrong. They are replaced when a
snapshot is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gpudoctor.data.environment_variables import allow_list
from gpudoctor.data.nccl_variables import parse, table
from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.environment import Environment
from gpudoctor.probes._interpreter import describe
from gpudoctor.probes._nccl_conf import read_conf
from gpudoctor.readers.home import shown
from gpudoctor.readers.torch_version import read_nccl_pin

_MAX_VALUE = 512
_MAX_NAME = 100
_MAX_VARIABLES = 500
_URL_USER = re.compile(r"(?<=://)[^/\s]*@")
_OLDEST_OF_TORCH_2 = "2.14.3"  # bundled with torch 2.0: every NCCL in use is at least this
_CONF = "NCCL configuration files"


def collect(host: Host, request: Request) -> Environment:
    """Shell and launch command, as they are now."""
    home = request.home(host)
    shell = _allowed(host.environ.items(), home)
    return environment_of(shell, _conf(host, request, home), request, _installed_nccl(host, request), home)


def environment_of(
    shell: dict[str, str], conf: Fact[dict[str, str]], request: Request, version: str | None, home: str = ""
) -> Environment:
    """What the launch command of `request` makes of a shell's allow-listed variables and of NCCL's configuration files.

    A container gets only what the launch command gives it. `version` is the installed NCCL's, None where not known.
    """
    launch = _allowed(request.launch_env, home)
    elsewhere = request.workload.container.known or bool(request.elsewhere)
    defaults = {} if elsewhere else conf.or_none() or {}
    variables = {**defaults, **request.inherited(shell), **launch}
    names = [name for name in sorted(variables) if name.startswith("NCCL_")]
    unknown = tuple(name for name in names if not table().is_known(name))
    meant = (table().meant_by(name) for name in unknown)
    return Environment(
        variables=known(dict(sorted(variables.items())), "launch command" if elsewhere else "environment"),
        variables_undecided=known(_undecided(shell, request, variables), "launch command"),
        shell=known(shell, "environment"),
        launch=known(launch, "launch command"),
        nccl_conf=conf,
        unknown_nccl=known(unknown, "gpudoctor's list"),
        unknown_nccl_meant=known(tuple(dict.fromkeys(name for name in meant if name)), "gpudoctor's list"),
        newer_nccl=_newer(names, version),
        removed_nccl=_removed(names, version),
    )


def _undecided(shell: dict[str, str], request: Request, decided: dict[str, str]) -> dict[str, str]:
    """Name -> why nobody here can say what the run gets."""
    found = dict.fromkeys(request.undecided, "the launch command takes it from the shell")
    if request.filtered_by:
        why = f"{request.filtered_by} drops the shell's variables, unless its policy keeps them"
        found |= dict.fromkeys(shell, why)
    if request.elsewhere:
        found["*"] = f"{request.elsewhere} starts the run in another environment than this shell's"
    allow = allow_list()
    return {
        name: why for name, why in sorted(found.items()) if name not in decided and (name == "*" or allow.allows(name))
    }


def _allowed(variables: Iterable[tuple[str, str]], home: str) -> dict[str, str]:
    allow = allow_list()
    kept = {name: value for name, value in variables if len(name) <= _MAX_NAME and allow.allows(name)}
    return {shown(name, ""): _value(kept[name], home) for name in sorted(kept)[:_MAX_VARIABLES]}


def _value(text: str, home: str) -> str:
    text = _URL_USER.sub("", shown(text, home))
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _conf(host: Host, request: Request, home: str) -> Fact[dict[str, str]]:
    """Settings of all files; a setting of an earlier file stays."""
    settings: dict[str, str] = {}
    for path, found in read_conf(host, request.environment(host)):
        if isinstance(found, HostError):
            return absent(found.reason, shown(found.detail, home), shown(path, home))
        settings = {**_allowed(found.items(), home), **settings}
    return known(settings, _CONF)


def _installed_nccl(host: Host, request: Request) -> str | None:
    """The version of the NCCL wheel that the target's torch asks for; None where there is none."""
    try:
        interpreter = describe(host, request)
    except HostError:
        return None
    requirements = interpreter.torch.requires_nccl if interpreter.torch else ()
    wanted = [pin[0] for pin in map(read_nccl_pin, requirements) if pin is not None]
    wheels = {item.name: item.version for item in interpreter.installed if item.name.startswith("nvidia-nccl-")}
    return next((wheels[name] for name in (*wanted, *wheels) if name in wheels), None)


def _newer(names: list[str], version: str | None) -> Fact[tuple[str, ...]]:
    if version is None:
        return absent("not_provided", "no NCCL wheel is installed for the target", "gpudoctor's list")
    newer = tuple(name for name in names if table().is_newer(name, parse(version)))
    return known(newer, f"gpudoctor's list, for NCCL {version}")


def _removed(names: list[str], version: str | None) -> Fact[tuple[str, ...]]:
    """Without a version: what no NCCL that is still in use reads."""
    since = version or _OLDEST_OF_TORCH_2
    removed = tuple(name for name in names if table().is_removed(name, parse(since)))
    return known(removed, f"gpudoctor's list, for NCCL {since}{'' if version else ' or newer'}")


PROBE = Probe(name="environment", section=Environment, collect=collect, timeout_s=10.0, asks_target=True)
