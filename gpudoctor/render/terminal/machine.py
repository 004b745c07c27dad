"""The machine in a few rows: hardware, driver, Python, host, what the run may see."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.model.fact import Fact
from gpudoctor.model.facts import Facts
from gpudoctor.render import words
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas

INDENT = 2
HANG = 12
ENGINES = (
    "vllm",
    "sglang",
    "tensorrt_llm",
    "text_generation_inference",
    "exllamav2",
    "deepspeed",
    "transformers",
    "ray",
)


class Row(Struct, frozen=True):
    """A label and what goes with it, joined by commas."""

    label: str
    parts: tuple[str, ...]


def rows(facts: Facts) -> list[Row]:
    """What is known; rows of which nothing is known are left out. Shared with the other formats for people."""
    all_rows = (
        Row("GPUs", (words.gpu_models(facts), _each_memory(facts))),
        Row("Visible", _visible(facts)),
        Row("Driver", _driver(facts)),
        Row("Python", _python(facts)),
        Row("Host", _host(facts)),
        Row("Run", _run(facts)),
    )
    kept = (Row(row.label, tuple(part for part in row.parts if part)) for row in all_rows)
    return [row for row in kept if row.parts]


def draw(canvas: Canvas, facts: Facts) -> None:
    """The section; nothing where nothing is known."""
    known = rows(facts)
    if not known:
        return
    canvas.blank()
    canvas.rule("MACHINE", "faint")
    for row in known:
        text = clean_prose(", ".join(row.parts), 600)
        canvas.paragraph((text, "plain"), indent=INDENT, hang=HANG, lead=(row.label, "faint"))


def _each_memory(facts: Facts) -> str:
    totals = {gpu.memory_total_bytes.or_none() for gpu in facts.gpus.devices.or_none() or ()}
    sizes = sorted(total for total in totals if total)
    if not sizes:
        return ""
    return f"{words.size(sizes[0])} each" if len(sizes) == 1 else f"{words.size(sizes[0])} to {words.size(sizes[-1])}"


def _visible(facts: Facts) -> tuple[str, ...]:
    count, total = facts.gpus.visible_count.or_none(), facts.gpus.count.or_none()
    raw = facts.visible.raw.or_none()
    unset = facts.visible.raw.absent == "not_applicable"
    name = facts.visible.variable.or_none() or "CUDA_VISIBLE_DEVICES"
    setter = (facts.visible.set_by.or_none() or "").replace("_", " ")
    return (
        "" if count is None else f"{count} of {total}" if total is not None else str(count),
        f"{name} is not set"
        if unset
        else ""
        if raw is None
        else f'{name}="{raw}"' + (f" ({setter})" if setter else ""),
    )


def _driver(facts: Facts) -> tuple[str, ...]:
    opened = facts.driver.module_open.or_none()
    cuda = facts.nvml.cuda_driver_version.or_none() or facts.cuda.version.or_none()
    version = words.driver_version(facts)
    if version is None:
        return ("module not loaded",) if facts.driver.module_loaded.or_none() is False else ()
    return (version, "" if opened is None else "open module" if opened else "proprietary module", _named("CUDA", cuda))


def _python(facts: Facts) -> tuple[str, ...]:
    nccl = facts.nccl.winner_version.or_none() or facts.torch.nccl_linked_version.or_none()
    engines = ((name.replace("_", "-"), _engine(facts, name)) for name in ENGINES)
    return (
        _named("torch", facts.torch.version.or_none()),
        _named("NCCL", nccl),
        *(_named(name, version) for name, version in engines),
        _named("Python", facts.python.version.or_none()),
        facts.python.executable.or_none() or "",
    )


def _engine(facts: Facts, name: str) -> str | None:
    found: Fact[str] = getattr(facts.python, name)
    return found.or_none()


def _host(facts: Facts) -> tuple[str, ...]:
    machine, memory, shm = facts.machine, facts.memory.total_bytes.or_none(), facts.shm.size_bytes.or_none()
    sockets = machine.sockets.or_none()
    container, vm = facts.virtualization.container.or_none(), facts.virtualization.vm.or_none()
    wsl = facts.virtualization.wsl.or_none()
    cpu = machine.cpu_model.or_none() or ""
    return (
        machine.os.or_none() or "",
        f"{sockets}x {cpu}" if cpu and sockets and sockets > 1 else cpu,
        f"{words.size(memory)} memory" if memory else "",
        "" if shm is None else f"/dev/shm {words.size(shm)}",  # noqa: S108 - a label, nothing is opened
        container if container and container != "none" else "",
        f"{vm} virtual machine" if vm and vm != "none" else "",
        f"WSL {wsl}" if wsl else "",
    )


def _run(facts: Facts) -> tuple[str, ...]:
    work = facts.workload
    tp = work.tp.or_none()
    others = ((name, fact.or_none() or 1) for name, fact in (("PP", work.pp), ("DP", work.dp)))
    return (
        work.framework.or_none() or "",
        work.model.or_none() or "",
        f"TP {tp}" if tp else "",
        *(f"{name} {size}" for name, size in others if size > 1),
    )


def _named(name: str, version: str | None) -> str:
    return clean_prose(f"{name} {version}", 60) if version else ""
