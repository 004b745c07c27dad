"""The words that several formats share: counts, sizes, values, subjects, who a machine is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import UnsetType

from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.model.facts import Facts
from gpudoctor.model.finding import Evidence, Finding, Fix, Needs, Severity
from gpudoctor.model.fit import FitReport
from gpudoctor.model.report import Report
from gpudoctor.render.sanitize import clean_prose

LABELS: dict[Severity, str] = {"error": "ERROR", "warning": "WARNING", "info": "NOTE"}
NEEDS: dict[Needs, str] = {
    "user": "",
    "root": "needs root",
    "reboot": "needs a reboot",
    "hardware": "needs hands on the hardware",
}
GIB = 1024**3
MIB = 1024**2
_GPU_SUBJECT = lazy_pattern(r"gpu:(\d{1,4})\Z")


def plural(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def counts(report: Report) -> str:
    """`1 error, 2 warnings, 1 note`, zeros left out."""
    summary = report.summary
    pairs = ((summary.errors, "error"), (summary.warnings, "warning"), (summary.infos, "note"))
    return ", ".join(plural(number, noun) for number, noun in pairs if number) or "no findings"


def size(count: int) -> str:
    """Bytes for people: binary units, three digits or so."""
    if count < 0:
        return "unlimited"
    if count >= 1024 * GIB:
        return f"{count / 1024 / GIB:.1f} TiB"
    if count >= GIB:
        return f"{count / GIB:.1f} GiB" if count < 100 * GIB else f"{count / GIB:.0f} GiB"
    return f"{count // MIB} MiB" if count >= MIB else f"{count} bytes"


def value(evidence: Evidence) -> str:
    """The value of a piece of evidence; sizes by the unit in the fact's name."""
    raw = evidence.value
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, int) and "_bytes" in evidence.fact.rpartition(".")[2]:
        return size(raw)
    if isinstance(raw, float):
        return f"{raw:g}"
    if isinstance(raw, (str, int)):
        return str(raw) if raw != "" else '""'
    return ", ".join(str(item) for item in raw) or "none"


def label(evidence: Evidence) -> str:
    """What the evidence is about: its label, else its fact path, else its place in a file."""
    if evidence.label or evidence.fact:
        return evidence.label or evidence.fact
    return place(evidence)


def place(evidence: Evidence) -> str:
    """`serve.log:41`, or "" for what is not from a file."""
    if not evidence.file:
        return ""
    return f"{evidence.file}:{evidence.line}" if evidence.line else evidence.file


def subject(text: str) -> str:
    """`gpu:0,gpu:1` as `GPU 0, 1`; anything else as it is; "" for the host itself."""
    parts = [part.strip() for part in text.split(",")]
    numbers = gpu_indices(text)
    if numbers and len(numbers) == len(parts):
        return "GPU " + ", ".join(numbers)
    return "" if text == "host" else clean_prose(", ".join(parts), 100)


def gpu_indices(text: str) -> list[str]:
    """The GPU numbers in a subject."""
    matches = (_GPU_SUBJECT.match(part.strip()) for part in text.split(","))
    return [match[1] for match in matches if match]


def certainty(finding: Finding) -> str:
    """Confidence in words and per cent."""
    percent = f"{finding.confidence * 100:.0f} %"
    if finding.confidence >= 0.9:
        return f"{percent} sure"
    return f"likely, {percent} sure" if finding.confidence >= 0.6 else f"possible, {percent} sure"


def paste(fix: Fix) -> str:
    """What to paste into a shell: the command, else the settings as an `export`, else ""."""
    if fix.command.strip():
        return fix.command
    if not fix.env:
        return ""
    import shlex  # seldom needed

    return "export " + " ".join(f"{k}={shlex.quote(v)}" for k, v in fix.env.items())


def gpu_models(facts: Facts) -> str:
    """`8x H100 80GB HBM3`, several models joined by a plus; "" where no source knows the GPUs."""
    devices = facts.gpus.devices.or_none() or ()
    if not devices:
        count = facts.gpus.count.or_none()
        return "" if count is None else "no GPU" if count == 0 else plural(count, "GPU")
    names = Counter(short_name(gpu.name.or_none()) for gpu in devices)
    return " + ".join(f"{number}x {name}" for name, number in names.items())


def short_name(name: str | None) -> str:
    """A GPU's marketing name without the words that all of them share."""
    return clean_prose((name or "").removeprefix("NVIDIA "), 60) or "unknown GPU"


def machine(facts: Facts) -> list[str]:
    """The machine in a few words: GPUs, driver, torch, NCCL; what is not known is left out."""
    driver = driver_version(facts)
    torch = facts.torch.version.or_none()
    nccl = facts.nccl.winner_version.or_none() or facts.torch.nccl_linked_version.or_none()
    parts = (
        gpu_models(facts),
        f"driver {driver}" if driver else "",
        f"torch {torch}" if torch else "",
        f"NCCL {nccl}" if nccl else "",
    )
    return [part for part in parts if part]


def driver_version(facts: Facts) -> str | None:
    """The driver's version by the first source that knows it."""
    sources = (facts.nvml.driver_version, facts.nvidia_smi.driver_version, facts.driver.module_version)
    return next((found for found in (source.or_none() for source in sources) if found), None)


def error_of(report: Report) -> tuple[str, str] | None:
    """Message and hint of a report that is an error, else None."""
    if isinstance(report.error, UnsetType):
        return None
    return report.error.message, report.error.hint


def verdict(report: Report) -> str:
    """The outcome in one sentence."""
    error = error_of(report)
    if error:
        return f"Could not diagnose: {error[0]}"
    if report.status == "unknown":
        return "Could not diagnose: too little could be read"
    if report.status == "ok":
        if report.fit:
            return fit_sentence(report.fit)
        return f"Nothing wrong found: {report.smoke.statement}" if report.smoke else "Nothing wrong found"
    return report.findings[0].title if report.findings else counts(report)


def fit_sentence(fit: FitReport) -> str:
    """Whether the model fits, in one sentence."""
    model = clean_prose(fit.model.asked.rpartition("/")[2] or fit.model.asked, 80)
    where = f"{plural(len(fit.gpus) * fit.dp, 'GPU')}" + (f" at TP {fit.tp}" if fit.tp > 1 else "")
    if fit.fits is None:
        return f"{model}: {fit.weights_gib_per_gpu:.1f} GiB of weights on a GPU at TP {fit.tp}; no card was named"
    if not fit.fits:
        return f"{model} does not fit {where}"
    room = f" with room for {fit.kv_tokens:,} tokens" if fit.kv_tokens else ""
    return f"{model} fits {where}{room}" + (", but only just" if fit.borderline else "")


def smoke(report: Report) -> str:
    """What the smoke run tested and how it went; "" where there was none. Said in every format: gloo tests no GPU."""
    return f"nccl-test: {report.smoke.verdict}, {report.smoke.statement}" if report.smoke else ""


def topic(finding: Finding) -> str:
    """What `explain` knows: a rule, or the cause where the smoke run or fit found it and no rule did."""
    return finding.cause if finding.id.startswith(("nccl-test-", "fit-")) else finding.id


def gap(paths: Sequence[str], detail: str) -> str:
    """Facts that could not be had, and what their source said of it."""
    return ", ".join(paths) + (f": {detail}" if detail else "")


def checked(probes: Sequence[str]) -> str:
    """Names of probes as a list for a sentence."""
    return ", ".join(name.replace("_", " ") for name in probes)
