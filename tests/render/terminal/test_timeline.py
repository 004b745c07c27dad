"""The ranks of a log: who was first, who only reports, who is waited for."""

from __future__ import annotations

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Log, RankDeath, RankPhase
from gpudoctor.render.options import RenderOptions
from gpudoctor.render.terminal.canvas import Canvas
from gpudoctor.render.terminal.timeline import SHOWN, draw


def drawn(log: Log, *, verbose: bool = False) -> str:
    canvas = Canvas(RenderOptions())
    draw(canvas, Facts(log=log), verbose=verbose)
    return canvas.text()


def death(rank: int, *, echo: bool) -> RankDeath:
    return RankDeath(rank=rank, line=rank + 1, file="log.txt", text=f"trouble of {rank}", echo=echo)


def test_the_first_error_is_first_and_reporters_say_so() -> None:
    text = drawn(Log(first_errors=known((death(3, echo=False), death(0, echo=True)), "log")))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "rank 3 first trouble of 3 (log.txt:4)" in lines
    assert "rank 0 reports trouble of 0 (log.txt:1)" in lines


def test_many_ranks_are_counted() -> None:
    log = Log(first_errors=known(tuple(death(rank, echo=rank > 0) for rank in range(30)), "log"))
    assert f"and {30 - SHOWN} more ranks" in drawn(log)
    assert "trouble of 29" in drawn(log, verbose=True)


def test_of_a_hang_the_ranks_that_are_waited_for_come_first() -> None:
    phases = (RankPhase(rank=0, phase="init_complete", line=9), RankPhase(rank=1, phase="comm_init", line=8))
    text = drawn(Log(phases=known(phases, "log"), hang=known(value=True, source="log")))
    assert text.index("setting NCCL up: rank 1") < text.index("NCCL ready: rank 0")
    assert drawn(Log(phases=known(phases, "log"), hang=known(value=False, source="log"))) == ""


def test_one_rank_is_no_timeline() -> None:
    assert drawn(Log(first_errors=known((death(0, echo=False),), "log"))) == ""
    assert drawn(Log()) == ""
