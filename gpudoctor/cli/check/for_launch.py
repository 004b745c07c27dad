"""A snapshot's facts for another launch command than the one that it was taken with."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from gpudoctor.model.fact import Fact, absent
from gpudoctor.model.facts import Environment, Facts
from gpudoctor.model.facts.section import Section

if TYPE_CHECKING:
    from gpudoctor.workload import ParsedCommand

S = TypeVar("S", bound=Section)

# What was asked of the machine under certain variables holds only as long as the run has the same.
_UNDER_DEVICES = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
_UNDER_LOADER = ("LD_LIBRARY_PATH", "LD_PRELOAD", "VLLM_NCCL_SO_PATH", "SGLANG_NCCL_SO_PATH", "PYTHONPATH")
_UNDER_NETWORK = ("NCCL_SOCKET_IFNAME", "NCCL_SOCKET_FAMILY", "GLOO_SOCKET_IFNAME", "MASTER_PORT")
_SEEN = ("visible_init_error", "visible_uuids")
_TORCH_SEEN = ("cuda_available", "cuda_error", "device_count")
_TORCH_LOADED = ("imported", "import_error", "import_error_type", "nccl_linked_version", "nccl_mapped_path")
_WINNER = ("winner_path", "winner_version", "winner_found_by", "winner_owner")
_CHOICES = ("nccl_choice", "gloo_choice", "nccl_ifname_unmatched", "gloo_ifname_unmatched")


def with_launch(facts: Facts, command: ParsedCommand) -> Facts:
    """The same machine and shell, with the workload of `command` and the environment that it makes of the shell's."""
    before = facts.environment
    after = _environment(facts, command)
    now = replace(facts, workload=command.workload, environment=after)
    devices = _changed(before, after, _UNDER_DEVICES)
    loader = _changed(before, after, _UNDER_LOADER)
    network = _changed(before, after, _UNDER_NETWORK)
    same_port = command.workload.master_port.or_none() == facts.workload.master_port.or_none()
    port = "" if same_port else "master port"
    if not (devices or loader or network or port):
        return now
    torch = _without(now.torch, _TORCH_SEEN, devices or loader)
    return replace(
        now,
        cuda=_without(now.cuda, _SEEN, devices),
        torch=_without(torch, _TORCH_LOADED, loader),
        nccl=_without(now.nccl, _WINNER, loader),
        network=_without(_without(now.network, _CHOICES, network), ("master_port_in_use",), network or port),
    )


def _environment(facts: Facts, command: ParsedCommand) -> Environment:
    from gpudoctor.cli.examine.order import request_of
    from gpudoctor.probes.environment import environment_of

    shell = facts.environment.shell.or_none()
    if shell is None:
        return facts.environment
    request = request_of(command, python=None, quick=True)
    return environment_of(shell, facts.environment.nccl_conf, request, _nccl_version(facts))


def _nccl_version(facts: Facts) -> str | None:
    """Of the NCCL wheel that torch asks for, else of any."""
    wheels = dict(wheel.split("==", 1) for wheel in facts.nccl.wheels.or_none() or () if "==" in wheel)
    pinned = facts.torch.nccl_pin_distribution.or_none() or ""
    return wheels.get(pinned) or next(iter(wheels.values()), None)


def _changed(before: Environment, after: Environment, names: tuple[str, ...]) -> str:
    """The first of the variables that the run would have otherwise; "" for none."""
    old, new = before.variables.or_none() or {}, after.variables.or_none() or {}
    return next((name for name in names if old.get(name) != new.get(name)), "")


def _without(section: S, names: tuple[str, ...], variable: str) -> S:
    """The section without what was found under another value of the variable."""
    if not variable:
        return section
    gone: Fact[object] = absent("not_provided", f"the snapshot was taken with another {variable}")
    return replace(section, **{name: gone for name in names if getattr(section, name).known})
