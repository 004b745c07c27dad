"""The map of the pairs, and the list of the trials."""

from __future__ import annotations

from gpudoctor.model.smoke import SmokeDecision, SmokePair, SmokeRank, SmokeReport, SmokeTrial
from gpudoctor.render import RenderOptions
from gpudoctor.render.terminal.canvas import Canvas
from gpudoctor.render.terminal.smoke_pairs import draw_pairs
from gpudoctor.render.terminal.smoke_trials import draw_trials

RANKS = tuple(SmokeRank(rank=rank, phase="done", index=rank + 2) for rank in range(3))
PAIRS = (
    SmokePair(a=0, b=1, verdict="pass", phase="bandwidth", a_to_b_gbs=24.92, b_to_a_gbs=12.0, peer_copy="verified"),
    SmokePair(a=0, b=2, verdict="hang", phase="bandwidth"),
    SmokePair(a=1, b=2, verdict="inconclusive", phase="bandwidth", peer_copy="no_access"),
)


def canvas(*, color: bool = False) -> Canvas:
    return Canvas(RenderOptions(width=80, color=color))


def test_each_direction_has_its_cell_and_what_failed_its_word() -> None:
    drawn = canvas()
    draw_pairs(drawn, PAIRS, RANKS)
    lines = [line.split() for line in drawn.text().splitlines()]
    assert ["GPU", "2", "GPU", "3", "GPU", "4"] in lines
    assert ["GPU", "2", "·", "24.9", "hang"] in lines
    assert ["GPU", "3", "12", "·", "-"] in lines
    assert ["GPU", "4", "hang", "-", "·"] in lines
    assert "right for 0-1; refused by the driver for 1-2" in " ".join(drawn.text().split())


def test_a_rank_whose_gpu_is_not_known_is_called_rank() -> None:
    drawn = canvas()
    draw_pairs(drawn, PAIRS, ())
    assert "rank 0" in drawn.text()


def test_slow_and_bad_cells_differ_in_colour() -> None:
    drawn = canvas(color=True)
    draw_pairs(drawn, PAIRS, RANKS)
    row = next(line for line in drawn.text().splitlines() if "24.9" in line)
    assert row.count("\x1b[") >= 4


def test_trials_are_listed_with_what_they_decide() -> None:
    report = SmokeReport(
        verdict="hang",
        backend="nccl",
        phase="comm_init",
        statement="",
        world_size=2,
        ranks=(),
        trials=(
            SmokeTrial(name="as asked", verdict="hang", phase="comm_init", seconds=50.1),
            SmokeTrial(
                name="P2P off \x1b[31m", env={"NCCL_P2P_DISABLE": "1"}, verdict="pass", phase="done", seconds=6.0
            ),
        ),
        decision=SmokeDecision(status="separated", part="p2p", reason="it passes with NCCL_P2P_DISABLE=1"),
    )
    drawn = canvas()
    draw_trials(drawn, report)
    text = " ".join(drawn.text().split())
    assert "2 launches to find out why as asked hang 50.1 s P2P off" in text
    assert "pass 6.0 s NCCL_P2P_DISABLE=1 It passes with NCCL_P2P_DISABLE=1." in text
    assert "\x1b" not in text
