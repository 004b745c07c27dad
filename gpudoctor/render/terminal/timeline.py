"""What the log tells of the ranks: whose error came first and who only reported it, and how far each one came."""

from __future__ import annotations

from gpudoctor.model.facts import Facts, Log
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas

INDENT = 2
SHOWN = 8
PHASES = {
    "rendezvous": "looking for the other ranks",
    "comm_init": "setting NCCL up",
    "init_complete": "NCCL ready",
    "weight_loading": "loading weights",
    "weights_loaded": "weights loaded",
    "profiling": "measuring memory",
    "graph_capture": "capturing CUDA graphs",
    "graph_captured": "CUDA graphs captured",
    "ready": "ready to serve",
    "running": "at work",
    "finished": "finished",
}


def draw(canvas: Canvas, facts: Facts, *, verbose: bool) -> None:
    """The section; nothing where the log does not tell several ranks apart."""
    log = facts.log
    errors = log.first_errors.or_none() or ()
    phases = log.phases.or_none() or ()
    if len(errors) > 1:
        canvas.blank()
        canvas.rule("RANKS", "faint")
        _errors(canvas, log, most=len(errors) if verbose else SHOWN)
    elif len(phases) > 1 and log.hang.or_none():
        canvas.blank()
        canvas.rule("RANKS", "faint")
        _phases(canvas, log)


def _errors(canvas: Canvas, log: Log, most: int) -> None:
    errors = log.first_errors.or_none() or ()
    for place, error in enumerate(errors[:most]):
        what = "reports" if error.echo else "first" if not place else "also"
        lead = f"rank {error.rank:<4} {what:8} "
        text = clean_prose(error.text, canvas.width * 2)
        canvas.paragraph(
            (text, "plain"),
            (f"  ({error.file}:{error.line})", "faint"),
            indent=INDENT,
            hang=len(lead),
            lead=(lead, "plain"),
        )
    if len(errors) > most:
        canvas.paragraph((f"and {len(errors) - most} more ranks: -v", "faint"), indent=INDENT)


def _phases(canvas: Canvas, log: Log) -> None:
    """Ranks of the same phase in one line, the ones that came least far first: they are who the others wait for."""
    order = {name: place for place, name in enumerate(PHASES)}
    by_phase: dict[str, list[int]] = {}
    for entry in log.phases.or_none() or ():
        by_phase.setdefault(entry.phase, []).append(entry.rank)
    for phase, ranks in sorted(by_phase.items(), key=lambda item: order.get(item[0], 0)):
        shown = ", ".join(map(str, ranks[:SHOWN])) + (f" and {len(ranks) - SHOWN} more" if len(ranks) > SHOWN else "")
        name = "rank" if len(ranks) == 1 else "ranks"
        canvas.paragraph((f"{PHASES.get(phase, phase)}: {name} {shown}", "plain"), indent=INDENT)
