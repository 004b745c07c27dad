"""A change for a run whose launch command we do not know: the shell's own variables, or a line with a placeholder."""

from __future__ import annotations

import re
import shlex
from typing import Final

from gpudoctor.model.change import Change
from gpudoctor.model.facts import Workload
from gpudoctor.workload import registry
from gpudoctor.workload.edits import assignment
from gpudoctor.workload.spec import Option
from gpudoctor.workload.words import has_control

PLACEHOLDER: Final = "<your launch command>"
_NAME = re.compile(r"[A-Za-z_]\w*")
_TRUE = frozenset({"true", "1", "yes", "on", ""})
_CONTAINER = frozenset({"container_shm_bytes", "container_ipc", "container_gpus"})
_WORDS: Final = {
    "tp": "tensor-parallel size {}",
    "pp": "pipeline-parallel size {}",
    "dp": "data-parallel size {}",
    "max_model_len": "context length {}",
    "max_num_seqs": "at most {} sequences at once",
    "gpu_memory_utilization": "GPU memory share {}",
    "quantization": "{} quantisation",
    "dtype": "dtype {}",
    "kv_cache_dtype": "{} KV cache",
    "model": "model {}",
    "processes_per_node": "{} processes",
}


def generic(workload: Workload, change: Change) -> str:
    """What to paste before the run, or the change around `<your launch command>`.

    "" where it cannot be said without knowing the framework.
    """
    if not all(_NAME.fullmatch(n) for n in (*change.env, *change.unset)):
        return ""
    container = {f: v for f, v in change.flags.items() if f in _CONTAINER}
    flags = {f: v for f, v in change.flags.items() if f not in _CONTAINER}
    if container:
        return "" if flags or change.env or change.unset or change.add else _docker(container)
    middle = _with_flags(workload, flags)
    if not middle or (not (flags or change.add or change.env or change.unset)):
        return ""
    variables = [assignment(name, value) for name, value in change.env.items()]
    if not flags and not change.add:  # only variables, which this shell can keep for whatever is started next
        words = [["unset", *change.unset] if change.unset else [], ["export", *variables] if variables else []]
        line = " && ".join(" ".join(part) for part in words if part)
        return "" if has_control(line) else line
    if change.unset:
        variables = ["env", *(f"-u {name}" for name in change.unset), *variables]
    line = " ".join([*variables, middle, *(_literal(option) for option in change.add)])
    return "" if has_control(line) else line


def _literal(option: str) -> str:
    try:
        return shlex.join(shlex.split(option))
    except ValueError:
        return shlex.quote(option)


def _docker(flags: dict[str, str]) -> str:
    options = [f"{o.names[0]}={shlex.quote(v)}" for f, v in flags.items() if (o := _option("docker run", f))]
    return f"docker run {' '.join(options)} <your other options and image>"


def _option(name: str, field: str) -> Option | None:
    spec = registry.by_name(name)
    return registry.option_for(spec, field) if spec else None


def _with_flags(workload: Workload, flags: dict[str, str]) -> str:
    """The placeholder with the framework's options behind it, or, without a framework, with the change in words."""
    framework = workload.framework.or_none()
    if not flags:
        return PLACEHOLDER
    if framework is None or registry.by_name(framework) is None:
        said = [_WORDS[f].format(v) for f, v in flags.items() if f in _WORDS]
        return f"<your launch command with {', '.join(said)}>" if len(said) == len(flags) else ""
    options = []
    for field, value in flags.items():
        option = _option(framework, field)
        if option is None:
            return ""
        if option.kind != "flag":
            options.append(f"{option.names[0]} {shlex.quote(value)}")
        elif value.lower() in _TRUE:
            options.append(option.names[0])
    return " ".join([PLACEHOLDER, *options])
