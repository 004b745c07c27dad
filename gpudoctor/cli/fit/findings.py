"""What does not fit, as a finding: one cause, the changes that help as its fixes."""

from __future__ import annotations

from typing import Final

from gpudoctor.model.finding import Evidence, Finding, Fix
from gpudoctor.model.fingerprint import fingerprint
from gpudoctor.model.fit import FitLimit, FitReport, FitSuggestion

_CAUSES: Final = {
    "tp_size": "tp_not_divisible",
    "cards": "tp_exceeds_gpus",
    "free_memory": "vram_in_use",
    "weights": "vram_weights",
    "kv_cache": "vram_kv_cache",
    "activation": "vram_kv_cache",
    "graphs": "vram_kv_cache",
    "overhead": "vram_kv_cache",
}
_SURE: Final = 0.97
_BORDERLINE: Final = 0.6


def findings_of(fit: FitReport) -> tuple[Finding, ...]:
    """Nothing where it fits. The limits of one cause are one finding; the first is the root."""
    found: list[Finding] = []
    for limit in fit.limits:
        cause = _CAUSES[limit.kind]
        if any(finding.cause == cause for finding in found):
            continue
        found.append(_finding(fit, limit, cause, len(found) + 1))
    return tuple(found)


def _finding(fit: FitReport, limit: FitLimit, cause: str, rank: int) -> Finding:
    same = [other.text for other in fit.limits if _CAUSES[other.kind] == cause]
    name = f"fit-{cause.replace('_', '-')}"
    subject = f"model:{fit.model.id}"
    return Finding(
        rank=rank,
        id=name,
        cause=cause,
        severity="error",
        confidence=_BORDERLINE if fit.borderline and limit.short_gib is not None else _SURE,
        title=_title(fit, limit),
        why=_sentence(same),
        subject=subject,
        evidence=_evidence(fit),
        fixes=tuple(_fix(one) for one in fit.suggestions) if rank == 1 else (),
        verify="",
        echo_of=None,
        fingerprint=fingerprint(name, subject),
    )


def _title(fit: FitReport, limit: FitLimit) -> str:
    size = f"TP {fit.tp}" + (f", PP {fit.pp}" if fit.pp > 1 else "")
    model = fit.model.asked.rpartition("/")[2] or fit.model.asked
    if limit.kind == "tp_size":
        return f"TP {fit.tp} is impossible for {model}: {limit.text}"
    if limit.kind == "cards":
        return limit.text[0].upper() + limit.text[1:]
    if limit.kind == "free_memory":
        return f"Too little is free for {model}: {limit.short_gib or 0:.1f} GiB short on a GPU"
    return f"{model} does not fit ({size}): {limit.short_gib or 0:.1f} GiB short on a GPU"


def _sentence(texts: list[str]) -> str:
    joined = "; ".join(texts)
    return joined[:1].upper() + joined[1:] + "."


def _evidence(fit: FitReport) -> tuple[Evidence, ...]:
    rows = (
        ("weights on a GPU", fit.weights_gib_per_gpu),
        ("activations", fit.activation_gib),
        ("libraries and graphs", fit.overhead_gib),
        ("needed, with the cache of one request", fit.required_gib_per_gpu),
        ("to be had", fit.available_gib_per_gpu),
    )
    sizes = [Evidence(label=label, value=f"{value:.2f} GiB") for label, value in rows]
    legal = Evidence(label="legal TP sizes", value=", ".join(map(str, fit.legal_tp)))
    return (*sizes, legal)


def _fix(one: FitSuggestion) -> Fix:
    loses = "" if one.loses == "nothing" else f"costs {one.loses}"
    return Fix(
        title=f"{one.change}: {one.result}",
        command=one.command,
        caveat=loses,
        needs="hardware" if one.loses == "hardware" else "user",
    )
