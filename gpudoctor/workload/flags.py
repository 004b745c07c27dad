"""gpudoctor's own flags, alone or together with a launch command."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from gpudoctor.errors import UsageError
from gpudoctor.model.fact import Fact, known
from gpudoctor.model.facts import Workload
from gpudoctor.workload import registry
from gpudoctor.workload.collect import Collected, Given
from gpudoctor.workload.parse import ParsedCommand, as_fact, spellings
from gpudoctor.workload.sizes import settle_world
from gpudoctor.workload.values import convert

_SPELLING: Final = {"quantization": "--quant"}
_DTYPES: Final = frozenset({"auto", "bfloat16", "float16", "float32"})
_SETTLED: Final = ("world_size", "gpus_needed")
_KNOWN_ONLY_BY_NAME: Final = frozenset({"transformers", "exllamav3", "ddp", "pytorch"})


class Flags(Struct, frozen=True, kw_only=True):
    """The options of `check` that describe a run; None where not given."""

    tp: int | None = None
    pp: int | None = None
    dp: int | None = None
    model: str | None = None
    quantization: str | None = None
    dtype: str | None = None
    max_model_len: int | None = None
    gpu_memory_utilization: float | None = None
    framework: str | None = None


def from_flags(flags: Flags) -> Workload:
    """The workload that the flags describe, with the defaults of the framework where one is named.

    Raises:
        UsageError: a framework that nobody knows.
    """
    return combine(flags, ParsedCommand()).workload


def combine(flags: Flags, parsed: ParsedCommand) -> ParsedCommand:
    """Flags over a launch command: a flag wins, and where the command says otherwise that is a contradiction.

    Raises:
        UsageError: a framework or dtype that nobody knows.
    """
    given = {name: value for name, value in asdict(flags).items() if value is not None}
    if not given:
        return parsed
    if "dtype" in given:
        given["dtype"] = _dtype(given["dtype"])
    if "framework" in given:
        given["framework"] = _framework(given["framework"])
    before = parsed.workload
    sentences = [s for name, value in given.items() if (s := _contradiction(before, name, value))]
    workload = replace(before, **{name: known(value, "flag") for name, value in given.items()})
    workload = _settled(workload, given)
    if sentences or before.contradictions.known:
        all_sentences = (*(before.contradictions.or_none() or ()), *sentences)
        workload = replace(workload, contradictions=known(all_sentences, "flag" if sentences else "launch_command"))
    return replace(parsed, workload=workload)


def _dtype(name: str) -> object:
    plain = convert("dtype", "dtype", name)[0][1]
    if plain not in _DTYPES:
        raise UsageError(f"--dtype {name[:40]!r} is not known", "one of auto, bf16, fp16, fp32")
    return plain


def _framework(name: str) -> str:
    plain = name.lower().replace("_", "-")
    for spec in registry.specs():
        if spec.role in {"engine", "launcher"} and spec.name.replace("_", "-") == plain:
            return spec.name
    if plain in _KNOWN_ONLY_BY_NAME:
        return plain
    names = sorted({s.name for s in registry.specs() if s.role in {"engine", "launcher"}} | _KNOWN_ONLY_BY_NAME)
    raise UsageError(f"--framework {name!r} is not known", "one of " + ", ".join(names))


def _contradiction(before: Workload, name: str, value: object) -> str:
    fact: Fact[Any] = getattr(before, name)
    if not fact.known or fact.source == "default" or fact.value == value:
        return ""
    flag = _SPELLING.get(name, "--" + name.replace("_", "-"))
    return f"{flag} {value} is not what the launch command says ({str(fact.value)[:60]}); {flag} is used."


def _settled(workload: Workload, flags: dict[str, Any]) -> Workload:
    """World size and GPUs again, where a flag changes what they follow from."""
    spec = registry.by_name(workload.framework.or_none() or "")
    found = Collected()
    if spec is not None:
        for name, default in spec.defaults:
            if not getattr(workload, name).known:
                workload = replace(workload, **{name: known(default, "default")})
        workload = replace(workload, fix_flags=known(spellings(spec), spec.name))
    if not {"tp", "pp", "dp"} & flags.keys() and workload.world_size.known:
        return workload
    for name in ("tp", "pp", "dp", "nodes", "processes_per_node"):
        fact = getattr(workload, name)
        if fact.known:
            found.given[name] = Given(fact.value, "", fact.source)
    ray = workload.executor.or_none() == "ray" and not workload.nodes.known
    if spec is not None and spec.role == "launcher":
        found.launcher = spec
    elif spec is not None:
        found.engine = spec
    settle_world(found)
    values = {name: as_fact(found.given[name]) for name in _SETTLED if name in found.given}
    if ray:
        values.pop("gpus_needed", None)
    return replace(workload, **values)
