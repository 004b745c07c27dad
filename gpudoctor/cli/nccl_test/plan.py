"""The options of `nccl-test` as a plan: what is asked for is checked before a process is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gpudoctor.cli.nccl_test.devices import best_group
from gpudoctor.cli.nccl_test.layer import layer_shape
from gpudoctor.cli.nccl_test.place import joined_member
from gpudoctor.errors import UsageError
from gpudoctor.host import LocalHost
from gpudoctor.host.probe import Request
from gpudoctor.host.target import choose_python
from gpudoctor.smoke.plan import BACKENDS, OPS, Plan, local_members
from gpudoctor.smoke.port import free_port

_SIZE = re.compile(r"(\d{1,12})\s*([KMG]?)(?:i?B)?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True)
class SmokeOptions:
    """As given on the command line."""

    tp: int
    devices: str
    backend: str
    ops: str
    max_bytes: str
    worker: bool
    python: str | None
    master_port: int | None
    timeout_s: float
    model: str | None = None
    hidden: int | None = None
    intermediate: int | None = None


def make_plan(asked: SmokeOptions) -> Plan:
    """The plan of one launch.

    Raises:
        UsageError: an option is not understood, a model is not known, or --worker without a launcher.
    """
    host = LocalHost()
    if asked.backend not in BACKENDS:
        raise UsageError(f"--backend {asked.backend!r} is none of {', '.join(BACKENDS)}")
    environ = dict(host.environ)
    members = (
        (joined_member(environ, asked.master_port),) if asked.worker else local_members(asked.tp, _port(environ, asked))
    )
    target = choose_python(host, Request(python=asked.python))
    devices = _devices(asked)
    choice = best_group(host, asked.tp) if not (devices or asked.worker or asked.backend == "gloo") else None
    return Plan(
        python=target.executable,
        members=members,
        environ=environ,
        backend=asked.backend,
        devices=choice.devices if choice else devices,
        choice=choice.why if choice else "",
        ops=_ops(asked.ops),
        max_bytes=size_in_bytes(asked.max_bytes) if asked.max_bytes else 0,
        timeout_s=asked.timeout_s,
        layer=layer_shape(host, asked.model, asked.hidden, asked.intermediate),
        joined=asked.worker,
    )


def size_in_bytes(text: str) -> int:
    """`64M` or `1G` or `4096`, in binary units. Raises UsageError."""
    match = _SIZE.fullmatch(text.strip())
    size = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if not size:
        raise UsageError(f"--max-bytes {text!r} is no size", "for example 4096, 64M or 1G")
    return max(4, size // 4 * 4)


def _ops(text: str) -> tuple[str, ...]:
    names = OPS if text == "all" else tuple(name.strip().replace("-", "_") for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in OPS]
    if unknown or not names:
        raise UsageError(f"--ops {text!r}: unknown {', '.join(unknown) or 'nothing'}", f"all, or of {', '.join(OPS)}")
    return tuple(dict.fromkeys(names))


def _devices(asked: SmokeOptions) -> str:
    names = [name.strip() for name in asked.devices.split(",") if name.strip()]
    if not all(re.fullmatch(r"\d{1,4}|(?:GPU|MIG)-[\w/-]{4,80}", name) for name in names):
        raise UsageError(f"--devices {asked.devices!r} is no list of GPUs", "for example 0,1")
    if len(set(names)) != len(names):
        raise UsageError(f"--devices {asked.devices!r} names a GPU twice")
    if names and not asked.worker and len(names) != asked.tp:
        raise UsageError(f"--devices names {len(names)} GPUs, --tp says {asked.tp}", "one GPU for each rank")
    return ",".join(names)


def _port(environ: Mapping[str, str], asked: SmokeOptions) -> int:
    """The port that is asked for; one that MASTER_PORT names is tested as the user's own run would use it."""
    if asked.master_port is not None:
        return asked.master_port
    named = environ.get("MASTER_PORT", "")
    return int(named) if named.isdecimal() and 0 < int(named) < 65536 else free_port()
