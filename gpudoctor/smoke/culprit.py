"""Which GPU, or which pair of GPUs, fails: each alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as changed

from msgspec.structs import replace

from gpudoctor.model.smoke import SmokeDecision, SmokePair
from gpudoctor.smoke.bench import Bench
from gpudoctor.smoke.pairs import Pair, all_pairs, blame, pairs_of, stuck_pair
from gpudoctor.smoke.plan import Plan, local_members

_ENOUGH = 2  # pairs of one GPU that hang: its others would only cost time


def bad_hardware(bench: Bench, env: Mapping[str, str], without: tuple[str, ...] = ()) -> SmokeDecision:
    """Even the control failed, or a GPU does not start: each GPU alone, then the pairs."""
    world = bench.plan.members[0].world_size
    failed: list[int] = []
    for rank in range(world) if world > 1 else ():
        one = bench.launch(
            f"GPU of rank {rank} alone",
            {**env, **_only(bench.plan, rank)},
            without=without,
            plan=_alone(bench.plan, rank),
        )
        if one is None:
            return SmokeDecision(status="out_of_time", reason="the budget was spent before every GPU was tried alone")
        if not one.passed:
            failed.append(rank)
    if 0 < len(failed) < world:
        return _gpus(tuple(failed), "alone, without any other GPU, and the others do not")
    if not failed and world > 2:
        pairs = search(bench, env, without)
        ranks, bad = blame(pairs)
        if ranks:
            return _gpus(ranks, "with every other GPU, also without P2P and shared memory, and the others do not")
        if bad and len(bad) < len(pairs):
            names = ", ".join(f"{a} and {b}" for a, b in bad)
            reason = f"the ranks {names} fail with each other whatever the settings, the other pairs do not"
            return SmokeDecision(status="separated", part="pair", pairs=bad, reason=reason)
    what = "every GPU fails alone" if failed else "each GPU works alone"
    reason = f"the control failed too, with every shortcut off; {what}: no setting of NCCL decides it"
    return SmokeDecision(status="control_failed", reason=reason)


def _gpus(ranks: tuple[int, ...], how: str) -> SmokeDecision:
    names = ", ".join(map(str, ranks))
    proves = "these GPUs, or the slots that they sit in, are what fails"
    reason = f"the GPUs of rank {names} fail {how}"
    return SmokeDecision(status="separated", part="gpu", ranks=ranks, proves=proves, reason=reason)


def bad_pairs(bench: Bench, decision: SmokeDecision, known: tuple[Pair, ...]) -> SmokeDecision:
    """Which pairs a broken P2P is about; with two ranks there is only one. `known` ones need no trial."""
    world = bench.plan.members[0].world_size
    if world == 2:
        return replace(decision, pairs=((0, 1),))
    if known:
        return replace(decision, pairs=known)
    tested = pairs_of(bench.first)
    ranks, bad = blame(tested if len(tested) == len(all_pairs(world)) else search(bench, {}))
    return replace(decision, ranks=ranks, pairs=bad)


def search(bench: Bench, env: Mapping[str, str], without: tuple[str, ...] = ()) -> tuple[SmokePair, ...]:
    """Every pair alone; after one that hangs the rest are launched anew."""
    todo = list(all_pairs(bench.plan.members[0].world_size))
    found: list[SmokePair] = []
    while todo:
        largest = bench.first.outcome.plan.max_bytes
        plan = changed(bench.plan, collectives=False, pairs=tuple(todo), max_bytes=largest, timed=False, peer=not env)
        one = bench.launch("pairs", env, without=without, plan=plan)
        if one is None:
            break
        came = pairs_of(one)
        found += came
        done = {(pair.a, pair.b) for pair in came}
        todo = [pair for pair in todo if pair not in done]
        if stuck_pair(one) is None:
            break
        todo = [pair for pair in todo if not _tried_enough(pair, found)]
    left = [pair for pair in all_pairs(bench.plan.members[0].world_size) if pair not in {(p.a, p.b) for p in found}]
    bench.pairs = (*found, *(_untested(pair) for pair in left))
    return bench.pairs


def _tried_enough(pair: Pair, found: list[SmokePair]) -> bool:
    bad = [one for one in found if one.verdict not in ("pass", "slow")]
    return any(sum(rank in (one.a, one.b) for one in bad) >= _ENOUGH for rank in pair)


def _untested(pair: Pair) -> SmokePair:
    note = "not tested: another pair of one of its GPUs had failed often enough, or time was up"
    return SmokePair(a=pair[0], b=pair[1], verdict="inconclusive", phase="bandwidth", note=note)


def _alone(plan: Plan, rank: int) -> Plan:
    """One rank with the GPU of `rank`."""
    names = plan.devices.split(",") if plan.devices else []
    devices = names[rank] if rank < len(names) else plan.devices
    return changed(plan, members=local_members(1), devices=devices, collectives=True, pairs=())


def _only(plan: Plan, rank: int) -> dict[str, str]:
    """Where no devices were named: the one of `rank` among those that are visible."""
    if plan.devices:
        return {}
    seen = plan.environ.get("CUDA_VISIBLE_DEVICES", "")
    names = [name.strip() for name in seen.split(",")] if seen else []
    return {"CUDA_VISIBLE_DEVICES": names[rank] if rank < len(names) else str(rank)}
