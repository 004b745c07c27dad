"""From facts and findings to a report: the one path that `check` takes live and from a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from msgspec.structs import fields

from gpudoctor import __version__
from gpudoctor.cli.findings.diagnosable import undiagnosable
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Report, ReportError, Status, Summary, Tool

if TYPE_CHECKING:
    from gpudoctor.cli.examine.examined import Examined
    from gpudoctor.engine.evaluate import Diagnosis

TOOL = Tool("gpudoctor", __version__)


def build_report(
    examined_: Examined,
    facts: Facts,
    diagnosis: Diagnosis,
    notes: Sequence[str] = (),
    judge: Callable[[Facts, Sequence[ProbeResult]], ReportError | None] = undiagnosable,
) -> Report:
    """Everything that a renderer shows. `judge` says why an absence of findings would mean nothing."""
    counts = dict.fromkeys(("error", "warning", "info"), 0)
    for finding in diagnosis.findings:
        counts[finding.severity] += 1
    # An error that was found stands, however little else could be read.
    problem = None if counts["error"] else judge(facts, examined_.probes)
    return Report(
        tool=TOOL,
        created_at=examined_.created_at,
        status="unknown" if problem else _status(counts),
        host=_host(facts),
        workload=_workload(facts),
        findings=diagnosis.findings,
        not_evaluated=diagnosis.not_evaluated,
        probes=examined_.probes,
        facts=facts,
        summary=Summary(counts["error"], counts["warning"], counts["info"], diagnosis.evaluated),
        notes=tuple(notes),
        error=problem or UNSET,
    )


def _status(counts: Mapping[str, int]) -> Status:
    return "error" if counts["error"] else "warning" if counts["warning"] else "ok"


def _host(facts: Facts) -> dict[str, str | int | list[str] | None]:
    """A short summary for people and dashboards."""
    devices = facts.gpus.devices.or_none()
    return {
        "gpus": [gpu.name.or_none() or "unknown" for gpu in devices] if devices is not None else None,
        "gpu_count": facts.gpus.count.or_none(),
        "visible_gpus": facts.gpus.visible_count.or_none(),
        "driver": facts.nvml.driver_version.or_none() or facts.driver.module_version.or_none(),
        "cuda_driver": facts.nvml.cuda_driver_version.or_none() or facts.cuda.version.or_none(),
        "torch": facts.torch.version.or_none(),
        "torch_cuda": facts.torch.cuda_version.or_none(),
        "nccl": facts.torch.nccl_linked_version.or_none() or facts.nccl.winner_version.or_none(),
        "vllm": facts.python.vllm.or_none(),
        "python": facts.python.executable.or_none(),
        "os": facts.machine.os.or_none(),
        "kernel": facts.machine.kernel.or_none(),
        "cpu": facts.machine.cpu_model.or_none(),
        "container": facts.virtualization.container.or_none(),
        "vm": facts.virtualization.vm.or_none(),
    }


def _workload(facts: Facts) -> dict[str, Any]:
    """What was given of the run, without the absences."""
    given = {field.name: getattr(facts.workload, field.name).or_none() for field in fields(Workload)}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if value is not None
    }
