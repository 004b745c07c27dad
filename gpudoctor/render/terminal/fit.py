"""Whether a model fits: a bar for each GPU, what limits it, which TP sizes are legal, what was assumed."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.fit import FitGpu, FitReport
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas, Span, Style, prose
from gpudoctor.render.terminal.measure import columns, pad

INDENT = 2
SHOWN = 8
_LONGEST_BAR = 44
# In the order of the bar: glyphs differ, so that nothing depends on colour.
_PARTS: tuple[tuple[str, str, Style], ...] = (
    ("others", "x", "warning"),
    ("weights", "█", "info"),
    ("KV cache", "▓", "ok"),
    ("activations", "▒", "far"),
    ("overhead", "░", "code"),
    ("free", "─", "faint"),
)


def draw(canvas: Canvas, fit: FitReport, *, verbose: bool) -> None:
    """The section."""
    canvas.blank()
    canvas.rule("FIT", "faint")
    canvas.paragraph((_what(fit), "plain"), indent=INDENT)
    if fit.gpus:
        _bars(canvas, fit, verbose=verbose)
    canvas.blank()
    for label, text in _lines(fit):
        canvas.paragraph(*prose(text), indent=INDENT, hang=INDENT + 14, lead=(label, "strong"))
    if verbose and fit.weights_gib_by_class:
        classes = ", ".join(f"{name} {size:.2f}" for name, size in fit.weights_gib_by_class.items() if size >= 0.005)
        canvas.paragraph((classes, "plain"), indent=INDENT, hang=INDENT + 14, lead=("GiB by class", "strong"))
    for one in fit.advice:
        why = f" ({clean_prose(one.why, 400)})" if one.why else ""
        canvas.paragraph(
            (clean_prose(one.text, 400) + why, "plain"), indent=INDENT, hang=INDENT + 2, lead=("• ", "plain")
        )


def _what(fit: FitReport) -> str:
    model = fit.model
    engine = fit.engine + (f" {fit.engine_version}" if fit.engine_version else "")
    sizes = f"TP {fit.tp}" + (f", PP {fit.pp}" if fit.pp > 1 else "") + (f", DP {fit.dp}" if fit.dp > 1 else "")
    form = "" if model.quantization == "none" else f", {model.quantization}"
    return f"{clean_prose(model.id, 120)}, {_count(model.parameters)} parameters{form}; {engine}, {sizes}"


def _count(number: int) -> str:
    return f"{number / 1e9:.1f} B" if number >= 1e9 else f"{number / 1e6:.0f} M"


def _bars(canvas: Canvas, fit: FitReport, *, verbose: bool) -> None:
    canvas.blank()
    for gpus in _alike(fit.gpus)[: None if verbose else SHOWN]:
        _bar(canvas, gpus)
    hidden = len(_alike(fit.gpus)) - SHOWN
    if hidden > 0 and not verbose:
        canvas.paragraph((f"and {hidden} more", "faint"), indent=INDENT)
    spans: list[Span] = []
    shown = {name for gpu in fit.gpus for name, _, _, size in _sizes(gpu) if size > 0}
    for name, glyph, style in _PARTS:
        if name in shown:
            spans += [(glyph, style), (f" {name}  ", "faint")]
    canvas.paragraph(*spans, indent=INDENT)


def _alike(gpus: Sequence[FitGpu]) -> list[list[FitGpu]]:
    """GPUs that differ in nothing but their number share a bar."""
    groups: list[list[FitGpu]] = []
    for gpu in gpus:
        if groups and _sizes(groups[-1][0]) == _sizes(gpu) and groups[-1][0].name == gpu.name:
            groups[-1].append(gpu)
        else:
            groups.append([gpu])
    return groups


def _bar(canvas: Canvas, gpus: Sequence[FitGpu]) -> None:
    gpu = gpus[0]
    label = _label(gpus)
    sizes = _sizes(gpu)
    needed = sum(size for _, _, _, size in sizes)
    tail = f"{gpu.total_gib:.1f} GiB" if needed <= gpu.total_gib * 1.005 else f"{needed:.1f} of {gpu.total_gib:.1f} GiB"
    room = min(_LONGEST_BAR, canvas.width - INDENT - columns(label) - columns(tail) - 4)
    spans: list[Span] = [(pad(label, columns(label) + 2), "strong")]
    if room >= len(_PARTS):
        spans += _cells(sizes, max(needed, gpu.total_gib), gpu.total_gib, room)
    canvas.line(*spans, (f"  {tail}", "plain"), indent=INDENT)
    said = [f"{name} {size:.2f}" for name, _, _, size in sizes if size > 0.005]
    canvas.paragraph((" · ".join(said), "faint"), indent=INDENT + columns(label) + 2)


def _label(gpus: Sequence[FitGpu]) -> str:
    if len(gpus) > 1:
        numbers = [gpu.index for gpu in gpus if gpu.index is not None]
        return f"GPU {numbers[0]}-{numbers[-1]}" if len(numbers) == len(gpus) else f"each of {len(gpus)}"
    index = gpus[0].index
    return f"GPU {index if index is not None else gpus[0].rank}"


def _sizes(gpu: FitGpu) -> list[tuple[str, str, Style, float]]:
    """Without what is missing: where it does not fit, the cache of one sequence stands in for what the engine takes."""
    cache = gpu.kv_cache_gib if gpu.free_gib >= 0 else max(gpu.kv_cache_gib, gpu.kv_needed_gib)
    values = (
        gpu.used_by_others_gib,
        gpu.weights_gib,
        cache,
        gpu.activation_gib,
        gpu.overhead_gib,
        max(gpu.free_gib, 0.0) if gpu.free_gib >= 0 else 0.0,
    )
    return [(name, glyph, style, max(size, 0.0)) for (name, glyph, style), size in zip(_PARTS, values, strict=True)]


def _cells(sizes: list[tuple[str, str, Style, float]], scale: float, total: float, room: int) -> list[Span]:
    """One cell at least for every part that is there; a mark where the card ends."""
    ends = []
    passed = 0.0
    for _, _, _, size in sizes:
        passed += size
        ends.append(round(room * passed / scale))
    row: list[Span] = []
    start = 0
    for (_, glyph, style, size), end in zip(sizes, ends, strict=True):
        stop = max(end, start + (1 if size > 0.005 and start < room else 0))
        row += [(glyph, style)] * (min(stop, room) - start)
        start = min(stop, room)
    edge = round(room * total / scale)
    if edge < room:
        row.insert(edge, ("│", "error"))
    return [*row, (" " * (room - start), "plain")]


def _lines(fit: FitReport) -> list[tuple[str, str]]:
    found = [("Limit", clean_prose(limit.text, 400)) for limit in fit.limits[:4]]
    if fit.kv_tokens is not None and fit.fits:
        times = fit.kv_tokens / max(fit.context_tokens, 1)
        at_once = f", {times:.1f} requests of {fit.context_tokens:,} at once" if fit.context_tokens else ""
        found.append(("Cache", f"{fit.kv_tokens:,} tokens{at_once}"))
    if fit.borderline:
        found.append(("Borderline", f"the figures are good to {fit.margin_gib:.1f} GiB; it is closer than that"))
    sizes = [size for size in fit.legal_tp if size <= 16]
    more = "" if len(sizes) == len(fit.legal_tp) else " and more"
    found.append(("Legal TP", " ".join(map(str, sizes)) + more))
    if fit.assumptions:
        found.append(("Assumed", clean_prose("; ".join(fit.assumptions), 1200)))
    return found
