"""What the ranks say of the layer: times, the share of communication, and what that means in words."""

from __future__ import annotations

from gpudoctor.model.smoke import SmokeBackend, SmokeLayer, SmokeLayerRun
from gpudoctor.smoke.launch import Outcome
from gpudoctor.smoke.plan import LayerShape
from gpudoctor.smoke.rank import Event

_REDUCES = 2  # of one layer: after attention and after the MLP
_NEARLY = 0.05  # below that nobody would notice


def layer_of(outcome: Outcome, backend: SmokeBackend) -> SmokeLayer | None:
    """The report's part about the layer; None where none was asked for."""
    shape = outcome.plan.layer
    if shape is None:
        return None
    told = [event for rank in outcome.ranks for event in rank.events]
    wrong = any(event.event == "wrong" and event.op == "layer" for event in told)  # then its times mean nothing
    problem = next((event.text for event in told if event.event == "layer_left_out"), "")
    runs = _runs([event for event in told if event.event == "layer"])
    return SmokeLayer(
        model=shape.model,
        hidden=shape.hidden,
        intermediate=shape.intermediate,
        dtype=next((event.dtype for event in told if event.event == "layer"), ""),
        left_out=problem or ("" if runs else "the run did not come so far"),
        runs=runs,
        words=() if wrong else words(runs, shape, outcome.plan.members[0].world_size, backend),
    )


def _runs(told: list[Event]) -> tuple[SmokeLayerRun, ...]:
    """One for each number of tokens, with the slowest rank's times."""
    by_tokens: dict[int, list[Event]] = {}
    for event in told:
        if min(event.seconds, event.arithmetic, event.whole) > 0:
            by_tokens.setdefault(event.tokens, []).append(event)
    return tuple(_run(events) for events in by_tokens.values())


def _run(events: list[Event]) -> SmokeLayerRun:
    sharded, arithmetic, whole = (
        max(getattr(event, name) for event in events) for name in ("seconds", "arithmetic", "whole")
    )
    return SmokeLayerRun(
        kind="prefill" if events[0].kind == "prefill" else "decode",
        tokens=events[0].tokens,
        bytes=events[0].bytes,
        sharded_us=round(sharded * 1e6, 1),
        arithmetic_us=round(arithmetic * 1e6, 1),
        whole_us=round(whole * 1e6, 1),
        communication_share=round(max(0.0, 1 - arithmetic / sharded), 3),
        speedup=round(whole / sharded, 3),
    )


def words(runs: tuple[SmokeLayerRun, ...], shape: LayerShape, ranks: int, backend: SmokeBackend) -> tuple[str, ...]:
    """What the times mean for this TP size against one GPU."""
    if not runs:
        return ()
    if ranks == 1:
        return ("With one rank nothing is shared: this is one device alone.",)
    if backend != "nccl":
        return (
            "The sharded pair gives exactly what the whole one gives. "
            "Its times are those of a CPU and of gloo, and say nothing about GPUs.",
        )
    said = [_one(run, ranks) for run in (runs[0], runs[-1])]
    if runs[0].speedup < 1 - _NEARLY:
        said.append(
            f"TP={ranks} answers a single request more slowly than one GPU would: "
            "take it where the model does not fit into one, or where prefill and many requests at once matter more."
        )
    if shape.layers:
        each_us = runs[0].sharded_us * runs[0].communication_share
        floor_ms = each_us * _REDUCES * shape.layers / 1000
        said.append(
            f"{shape.layers} layers with {_REDUCES} all-reduces each: about {floor_ms:.2g} ms of every token are "
            "communication."
        )
    return tuple(said)


def _one(run: SmokeLayerRun, ranks: int) -> str:
    tokens = "1 token" if run.tokens == 1 else f"{run.tokens} tokens"
    if abs(run.speedup - 1) <= _NEARLY:
        against = "as fast as one GPU"
    elif run.speedup > 1:
        against = f"{run.speedup:.2g} times as fast as one GPU"
    else:
        against = f"{1 / run.speedup:.2g} times as slow as one GPU"
    share = f"{run.communication_share * 100:.0f} % of its time is communication"
    return f"{run.kind.capitalize()}, {tokens}: TP={ranks} is {against}; {share}."
