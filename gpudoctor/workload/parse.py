"""Launch command → `Workload` and the variables that it sets."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import fields, replace

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import Workload
from gpudoctor.workload.collect import Collected, Given, collect
from gpudoctor.workload.layout import Layout
from gpudoctor.workload.sizes import listed_devices, settle
from gpudoctor.workload.spec import Spec
from gpudoctor.workload.walk import walk_text

_FIELDS = frozenset(f.name for f in fields(Workload))
_GPU_WAYS = frozenset({"container_runtime", "container_device", "container_hooks"})
_MAX_CONTRADICTIONS = 20
_DOCKER_SHM_BYTES = 64 << 20  # what docker and podman give a container that asks for nothing
FIX_FIELDS = (
    "tp", "pp", "dp", "ep", "model", "dtype", "quantization", "kv_cache_dtype", "max_model_len", "max_num_seqs",
    "gpu_memory_utilization", "cpu_offload_gib", "custom_allreduce_disabled", "enforce_eager", "executor",
    "processes_per_node", "nodes", "master_addr", "master_port",
)  # fmt: skip


class ParsedCommand(Struct, frozen=True, kw_only=True):
    """A launch command that was read.

    Attributes:
        workload: what it says of the run; all absent for an empty command.
        env: variables that it sets and that reach the program, in order.
        unset: variables that it takes out of the environment.
        clean_environment: whether nothing of the shell's environment reaches the program (`env -i`).
        passed: variables that a container gets from the shell by name (`docker run -e NAME`).
        undecided: variables that it sets to something only the shell knows (`NAME=$OTHER`).
        filtered_by: the program that drops the shell's variables (sudo), but for those in `passed`; "" for none.
        elsewhere: the program that starts the run in another environment than this one (ssh); "" for none.
        argv: the words as they came.
    """

    workload: Workload = Workload()
    env: tuple[tuple[str, str], ...] = ()
    unset: tuple[str, ...] = ()
    clean_environment: bool = False
    passed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    filtered_by: str = ""
    elsewhere: str = ""
    argv: tuple[str, ...] = ()


def parse(argv: Sequence[str]) -> ParsedCommand:
    """Read a launch command: the words after `--`, or one string with a whole command line or script in it.

    Nothing is run or expanded. Options that we do not know are passed over.

    Raises:
        CommandError: an unclosed quote, a control character, an option with an impossible value. It says where.
    """
    words = tuple(argument.encode("utf-8", "replace").decode() for argument in argv)
    text = command_text(words)
    layout = walk_text(text) if text.strip() else None
    if layout is None:
        return ParsedCommand(argv=words)
    found = collect(layout)
    _container(layout, found)
    settle(found)
    _check_devices(layout, found)
    chain = layout.chain()
    env = {a.name: a.value for part in chain for a in part.assignments}
    return ParsedCommand(
        workload=_workload(text, layout, found),
        env=tuple((name, value) for name, value in env.items() if value is not None),
        undecided=tuple(name for name, value in env.items() if value is None),
        unset=tuple(dict.fromkeys(name for part in chain for name in part.unset if name not in env)),
        clean_environment=any(part.clean_environment for part in chain),
        passed=(*_passed(chain), *(name for part in chain for name in part.kept)),
        filtered_by=next((part.filtered_by for part in chain if part.filtered_by), ""),
        elsewhere=next((part.elsewhere for part in chain if part.elsewhere), ""),
        argv=words,
    )


def command_text(words: Sequence[str]) -> str:
    """The command as one line of shell: a single argument with spaces is such a line already."""
    only = words[0].strip() if len(words) == 1 else ""
    if len(words) == 1 and (not only or any(c.isspace() for c in only)):
        return only
    return shlex.join(words)


def spec_of(found: Collected) -> Spec | None:
    """The program that names the framework: the engine, else the launcher."""
    return found.engine or found.launcher


def _workload(text: str, layout: Layout, found: Collected) -> Workload:
    values: dict[str, Fact[Any]] = {
        name: as_fact(given) for name, given in found.given.items() if name in _FIELDS and name != "endpoint"
    }
    spec = spec_of(found)
    if spec is not None:
        values["framework"] = known(spec.name, "launch_command")
        values["fix_flags"] = known(spellings(spec), spec.name)
    interpreter = next((p.interpreter for p in reversed(layout.chain()) if p.interpreter), "")
    if any(p.in_container for p in layout.chain()):
        values["interpreter"] = absent("not_applicable", "the program runs in a container", "launch_command")
    elif any(p.chooses_python for p in layout.chain()):
        values["interpreter"] = absent("not_provided", "the command starts Python in another environment")
    elif interpreter:
        values["interpreter"] = known(interpreter, "launch_command")
    values["command"] = known(text, "launch_command")
    contradictions = tuple(dict.fromkeys(found.contradictions))[:_MAX_CONTRADICTIONS]
    values["contradictions"] = known(contradictions, "launch_command")
    return replace(Workload(), **values)


def as_fact(given: Given) -> Fact[Any]:
    """A value, or why the command does not tell it."""
    if given.value is None:
        detail = given.because or f"`{given.spelled}` is decided when the program runs"
        return absent("not_provided", detail, given.source)
    return known(given.value, given.source)


def spellings(spec: Spec) -> dict[str, str]:
    """This framework's option names by field."""
    found: dict[str, str] = {}
    for option in spec.options:
        if option.field in FIX_FIELDS and option.names and option.kind != "flag_off":
            found.setdefault(option.field, option.names[0])
    return found


def _container(layout: Layout, found: Collected) -> None:
    """What the container gets of shared memory and GPUs; the engine's values apply where nothing is said."""
    image = next((p.image for p in layout.chain() if p.image), "")
    if not image:
        return
    found.given["container"] = Given(image, "", "launch_command")
    ipc = found.value("container_ipc")
    if ipc == "host":
        found.given.pop("container_shm_bytes", None)  # docker refuses or ignores it then: the host's mount counts
    elif "container_shm_bytes" not in found.given:
        found.given["container_shm_bytes"] = Given(_DOCKER_SHM_BYTES, "", "default")
    way = _gpu_way(layout)
    if way:
        found.given["container_gpu_way"] = Given(way, way, "launch_command")
    device = found.value("container_device")
    if "container_gpus" not in found.given and isinstance(device, str) and "nvidia.com/gpu=" in device:
        found.given["container_gpus"] = found.given["container_device"]
    gpus = found.value("container_gpus")
    count = listed_devices(gpus) if isinstance(gpus, str) else _listed_in_variable(layout)
    if count is not None:
        found.given["container_gpu_count"] = Given(count, "", "launch_command")


def _listed_in_variable(layout: Layout) -> int | None:
    """GPUs that -e NVIDIA_VISIBLE_DEVICES=0,1 lists; None for all, for none, and where nothing is said."""
    for part in layout.chain():
        for hit in (hit for scan in part.scans if scan.spec.role == "container" for hit in scan.hits):
            name, _, listed = hit.text.partition("=")
            if hit.option.field == "environment" and name == "NVIDIA_VISIBLE_DEVICES":
                return None if listed in {"", "all", "void", "none"} else listed_devices(f"device={listed}")
    return None


def _gpu_way(layout: Layout) -> str:
    """The first option by which a container may get GPUs without --gpus, as it is spelled."""
    for part in layout.chain():
        for hit in (hit for scan in part.scans if scan.spec.role == "container" for hit in scan.hits):
            given = hit.text.lower()
            if hit.option.field == "container_privileged":
                return hit.option.names[0]
            named = hit.option.field == "environment" and given.startswith("nvidia_visible_devices")
            if named or (hit.option.field in _GPU_WAYS and "nvidia" in given):
                return f"{hit.option.names[0]} {hit.text}"
    return ""


def _check_devices(layout: Layout, found: Collected) -> None:
    """Device lists in the command that are shorter than what the command needs."""
    needed = found.count("gpus_needed")
    if needed is None:
        return
    gpus = found.value("container_gpus")
    listed = listed_devices(gpus) if isinstance(gpus, str) else None
    if listed is not None and listed < needed:
        spelled = found.given["container_gpus"].spelled
        found.contradictions.append(
            f"`{spelled}` gives the container {listed} of the {needed} GPUs that the run needs."
        )
    env = {a.name: a.value for part in layout.chain() for a in part.assignments}
    ids = found.value("devices")
    if found.launcher and found.launcher.name == "accelerate" and isinstance(ids, str) and len(ids.split(",")) < needed:
        processes = found.given["processes"].spelled if "processes" in found.given else f"{needed} processes"
        found.contradictions.append(f"`{processes}` and `{found.given['devices'].spelled}` do not go together.")
    visible = env.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return
    entries = len([e for e in visible.split(",") if e.strip()])
    if entries < needed:
        found.contradictions.append(
            f"`CUDA_VISIBLE_DEVICES={visible[:60]}` in the command lists {entries} of the {needed} GPUs that it needs."
        )


def _passed(chain: Sequence[Layout]) -> tuple[str, ...]:
    names = (
        hit.text
        for part in chain
        for scan in part.scans
        for hit in scan.hits
        if hit.option.kind == "assign" and "=" not in hit.text
    )
    return tuple(dict.fromkeys(names))
