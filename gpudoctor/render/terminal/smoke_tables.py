"""Tables of the smoke run: time by message size, and the layer against one device."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.smoke import SmokeLayer, SmokeLayerRun, SmokeSize
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas, Style

INDENT = 2


def draw_sizes(canvas: Canvas, sizes: Sequence[SmokeSize]) -> None:
    """One table a collective, in the columns of nccl-tests."""
    for op in dict.fromkeys(size.op for size in sizes):
        canvas.blank()
        name = clean_prose(op.replace("_", "-"), 20)
        canvas.line((f"{name:>14} {'time us':>12} {'algbw GB/s':>12} {'busbw GB/s':>12} {'wrong':>8}", "faint"))
        for one in sizes:
            if one.op == op:
                row = f"{size_words(one.bytes):>14} {one.latency_us:>12.1f} {one.algbw_gbs:>12.4g}"
                style: Style = "error" if one.wrong else "plain"
                canvas.line((f"{row} {one.busbw_gbs:>12.4g} {one.wrong:>8}", style))


def draw_layer(canvas: Canvas, layer: SmokeLayer, ranks: int) -> None:
    """The linear pair: sharded over the ranks against whole on one of them, and what that means."""
    canvas.blank()
    shape = f"{layer.hidden} x {layer.intermediate}" + (f", {layer.dtype}" if layer.dtype else "")
    name = f"{clean_prose(layer.model, 80)}, " if layer.model else ""
    canvas.paragraph((f"Layer of {name}{shape}", "strong"), indent=INDENT)
    if layer.left_out:
        canvas.paragraph((f"not run: {clean_prose(layer.left_out, 200)}", "plain"), indent=INDENT)
    if layer.runs:
        heads = f"{'tokens':>14} {'message':>12} {f'TP={ranks} us':>12} {'communic.':>12} {'one alone us':>13}"
        canvas.line((heads, "faint"))
    for run in layer.runs:
        canvas.line((_row(run), "plain"))
    for sentence in layer.words:
        canvas.paragraph((clean_prose(sentence, 400), "plain"), indent=INDENT)


def _row(run: SmokeLayerRun) -> str:
    tokens = f"{run.kind} {run.tokens}"
    share = f"{run.communication_share * 100:.0f} %"
    return f"{tokens:>14} {size_words(run.bytes):>12} {run.sharded_us:>12.1f} {share:>12} {run.whole_us:>13.1f}"


def size_words(count: int) -> str:
    """`4 MiB`, or bytes where it is no whole number of a larger unit."""
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size and count % size == 0:
            return f"{count // size} {unit}"
    return f"{count} B"
