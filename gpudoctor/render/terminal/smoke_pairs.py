"""The pairs of a smoke run as a map: GB/s from each GPU to each other one, what is slow or bad by colour and word."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.smoke import PeerCopy, SmokePair, SmokeRank
from gpudoctor.render.terminal.canvas import Canvas, Span, Style

INDENT = 2
_CELL = 7
_SHOWN = 16  # ranks; more do not fit a line, and the worst pair is named by the finding
_WORDS = {"hang": "hang", "wrong_data": "wrong", "crash": "failed", "inconclusive": "-"}
_NEAR, _MIDDLE = 0.8, 0.5  # of the fastest pair
_PEER: dict[PeerCopy, str] = {
    "verified": "right",
    "wrong": "wrong",
    "failed": "not possible",
    "no_access": "refused by the driver",
}


def draw_pairs(canvas: Canvas, pairs: Sequence[SmokePair], ranks: Sequence[SmokeRank]) -> None:
    """The map, or one line where there is only one pair."""
    members = sorted({rank for pair in pairs for rank in (pair.a, pair.b)})[:_SHOWN]
    names = {rank.rank: f"GPU {rank.index}" for rank in ranks if rank.index is not None}
    cells = _cells(pairs)
    fastest = max((value for value in cells.values() if isinstance(value, float)), default=0.0)
    canvas.blank()
    canvas.paragraph(("Two alone, GB/s from the row to the column", "strong"), indent=INDENT)
    head = "".join(f"{_name(rank, names):>{_CELL}}" for rank in members)
    canvas.line((f"{'':>{_CELL}}{head}", "faint"), indent=INDENT)
    for row in members:
        spans: list[Span] = [(f"{_name(row, names):>{_CELL}}", "faint")]
        spans += [_cell(cells.get((row, column)), fastest, same=row == column) for column in members]
        canvas.line(*spans, indent=INDENT)
    _peers(canvas, pairs)


def _name(rank: int, names: dict[int, str]) -> str:
    return names.get(rank, f"rank {rank}")


def _cells(pairs: Sequence[SmokePair]) -> dict[tuple[int, int], float | str]:
    """Speed, or the word for what happened instead."""
    out: dict[tuple[int, int], float | str] = {}
    for pair in pairs:
        word = _WORDS.get(pair.verdict, "")
        for key, speed in (((pair.a, pair.b), pair.a_to_b_gbs), ((pair.b, pair.a), pair.b_to_a_gbs)):
            out[key] = word or (speed if speed is not None else "-")
    return out


def _cell(value: float | str | None, fastest: float, *, same: bool) -> Span:
    if same or value is None:
        return (f"{'·' if same else '-':>{_CELL}}", "faint")
    if isinstance(value, str):
        return (f"{value:>{_CELL}}", "faint" if value == "-" else "error")
    share = value / fastest if fastest else 0.0
    style: Style = "ok" if share >= _NEAR else "middle" if share >= _MIDDLE else "far"
    return (f"{value:>{_CELL}.3g}", style)


def _peers(canvas: Canvas, pairs: Sequence[SmokePair]) -> None:
    """What came of looking into each other's memory."""
    told = [f"{words} for {_listed(pairs, kind)}" for kind, words in _PEER.items() if _listed(pairs, kind)]
    if told:
        canvas.paragraph(
            (f"The other GPU's memory read and written directly: {'; '.join(told)}", "plain"), indent=INDENT
        )


def _listed(pairs: Sequence[SmokePair], kind: PeerCopy) -> str:
    found = [f"{pair.a}-{pair.b}" for pair in pairs if pair.peer_copy == kind]
    if len(found) == len(pairs) and len(pairs) > 1:
        return f"all {len(pairs)} pairs"
    return ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
