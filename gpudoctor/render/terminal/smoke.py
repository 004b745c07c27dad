"""The smoke run: what was tested, where each rank got to, a table by message size."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.smoke import SmokeRank, SmokeReport
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas
from gpudoctor.render.terminal.smoke_pairs import draw_pairs
from gpudoctor.render.terminal.smoke_tables import draw_layer, draw_sizes
from gpudoctor.render.terminal.smoke_trials import draw_trials, speed_words

INDENT = 2
SHOWN_RANKS = 16
SHOWN_FRAMES = 4
VERDICTS = {
    "pass": "Every element of every result was right",
    "slow": "Every result was right, but slow",
    "wrong_data": "Results were wrong",
    "hang": "The run hung",
    "crash": "The run failed",
    "inconclusive": "The run decides nothing",
}


def verdict(smoke: SmokeReport) -> str:
    """The outcome in one sentence, with what was tested: gloo never reads like a test of GPUs."""
    where = "" if smoke.phase == "done" else f" in {smoke.phase}"
    return f"{VERDICTS[smoke.verdict]}{where} ({smoke.statement})"


def draw(canvas: Canvas, smoke: SmokeReport, *, verbose: bool) -> None:
    """The section."""
    canvas.blank()
    canvas.rule("NCCL-TEST", "faint")
    canvas.paragraph((verdict(smoke), "plain"), indent=INDENT)
    about = [f"torch {smoke.torch}" if smoke.torch else "", f"NCCL {smoke.nccl}" if smoke.nccl else ""]
    about.append(f"transport {smoke.transport}" if smoke.transport else "")
    seconds = sum(trial.seconds for trial in smoke.trials)
    about.append(f"{seconds:.1f} s")
    canvas.paragraph((", ".join(part for part in about if part), "faint"), indent=INDENT)
    if smoke.verdict != "pass" or verbose:
        _ranks(canvas, smoke.ranks, verbose=verbose)
    draw_trials(canvas, smoke)
    if smoke.sizes:
        draw_sizes(canvas, smoke.sizes)
    if smoke.pairs:
        draw_pairs(canvas, smoke.pairs, smoke.ranks)
    if smoke.speed:
        canvas.paragraph((speed_words(smoke.speed), "plain"), indent=INDENT)
    if smoke.left_out:
        names = clean_prose(", ".join(smoke.left_out), 100)
        canvas.paragraph(
            (f"not run: {names}; this torch does not have it with {smoke.backend}", "plain"), indent=INDENT
        )
    if smoke.layer:
        draw_layer(canvas, smoke.layer, smoke.world_size)


def _ranks(canvas: Canvas, ranks: Sequence[SmokeRank], *, verbose: bool) -> None:
    canvas.blank()
    shown = ranks if verbose else ranks[:SHOWN_RANKS]
    for rank in shown:
        state = clean_prose(rank.ended, 100) or "came to the end"
        step = f" ({clean_prose(rank.step, 100)})" if rank.step else ""
        where = f"{rank.phase}{step}: {state}"
        if rank.waits_for:
            where += f", waiting for rank {', '.join(map(str, rank.waits_for))}"
        if rank.kernel:
            where += f"; kernel: {clean_prose(rank.kernel, 80)}"
        canvas.paragraph((where, "plain"), indent=INDENT, hang=INDENT + 9, lead=(f"rank {rank.rank}", "strong"))
        for frame in rank.stack if verbose else rank.stack[:SHOWN_FRAMES]:
            canvas.line((f"in {clean_prose(frame, 200)}", "faint"), indent=INDENT + 9)
    if len(ranks) > len(shown):
        canvas.paragraph((f"and {len(ranks) - len(shown)} more ranks", "faint"), indent=INDENT)
