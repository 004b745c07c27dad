"""The GPUs that the run would use, whether a better choice exists, and which transport NCCL is expected to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import comb
from typing import NoReturn

from msgspec import Struct

from gpudoctor.derive.nccl_level import expected_transport, uses_p2p
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import Facts, Gpu, GpuPair, Group

_LINK_ORDER = {"NV": 0, "PIX": 1, "PXB": 2, "PHB": 3, "NODE": 4, "SYS": 5}
_MAX_CHOICES = 20_000
_DERIVED = "derived"
_IDLE_BYTES = 1 << 30
_SCHEDULERS = ("SLURM_", "RAY_JOB_")


class _Score(Struct, frozen=True):
    """Lower is better, compared from the left: mixed models, worst link class, sum of the classes."""

    mixed: bool
    worst: int
    total: int

    def key(self) -> tuple[bool, int, int]:
        return (self.mixed, self.worst, self.total)


def derive_group(facts: Facts) -> Group:
    """Needs `gpus`, `topology`, `workload` and, for the legal TP sizes, `model`."""
    visible = facts.gpus.visible.or_none()
    if visible is None:
        usable = _usable_tp(facts, facts.gpus.visible_count.or_none())
        return Group(gpus=absent_like(facts.gpus.visible), usable_tp=usable)
    tp = facts.workload.tp.or_none()
    wanted = facts.workload.gpus_needed.or_none() or tp or len(visible)
    members = visible[: max(0, wanted)]
    pairs = _pairs_within(members, tp or len(members), facts)
    links = [pair.link.or_none() for pair in pairs]
    better = _better(facts, _choice(facts, visible), members, tp)
    return Group(
        size=known(len(members), _DERIVED),
        gpus=known(members, _DERIVED),
        pairs=known(pairs, _DERIVED) if facts.topology.pairs.known else absent("not_provided", "no pairs are known"),
        worst_link=_worst(links),
        all_nvlink=_all([link.startswith("NV") if link is not None else None for link in links]),
        any_nvlink=_some([link.startswith("NV") if link is not None else None for link in links]),
        all_p2p=_all([_granted(pair) for pair in pairs]),
        memory_total_min_bytes=_least([gpu.memory_total_bytes for gpu in members]),
        memory_free_min_bytes=_least([gpu.memory_free_bytes for gpu in members]),
        usable_tp=_usable_tp(facts, len(visible)),
        nccl_uses_p2p=uses_p2p(facts, pairs, len(members)),
        transport=expected_transport(facts, pairs, len(members)),
        better_gpus=better.gpus,
        better_worst_link=better.worst_link,
        better_visible_devices=better.visible_devices,
    )


def _pairs_within(members: Sequence[Gpu], block: int, facts: Facts) -> tuple[GpuPair, ...]:
    """Pairs inside each tensor-parallel block of consecutive ranks: pipeline stages talk little."""
    table = _table(facts)
    found: list[GpuPair] = []
    size = max(1, block)
    for start in range(0, len(members), size):
        found += [pair for pair in _pairs(members[start : start + size], table) if pair is not None]
    return tuple(found)


def _table(facts: Facts) -> dict[tuple[int, int], GpuPair]:
    return {(pair.a, pair.b): pair for pair in facts.topology.pairs.or_none() or ()}


def _pairs(members: Iterable[Gpu], table: dict[tuple[int, int], GpuPair]) -> list[GpuPair | None]:
    indices = sorted(gpu.index for gpu in members)
    return [table.get((a, b)) for a, b in combinations(indices, 2)]


def _class(link: str) -> int:
    return _LINK_ORDER.get("NV" if link.startswith("NV") else link, len(_LINK_ORDER))


def _worst(links: Sequence[str | None]) -> Fact[str]:
    if not links:
        return absent("not_applicable", "a group of one GPU has no pair")
    if None in links:
        return absent("not_provided", "the link of a pair is not known")
    return known(max((link for link in links if link is not None), key=_class), _DERIVED)


def _granted(pair: GpuPair) -> bool | None:
    statuses = (pair.p2p_read.or_none(), pair.p2p_write.or_none())
    if any(status is not None and status != "OK" for status in statuses):
        return False
    return None if None in statuses else True


def _all(parts: Sequence[bool | None]) -> Fact[bool]:
    if not parts:
        return absent("not_applicable", "a group of one GPU has no pair")
    if False in parts:
        return known(False, _DERIVED)
    return absent("not_provided", "not known for every pair") if None in parts else known(True, _DERIVED)


def _some(parts: Sequence[bool | None]) -> Fact[bool]:
    if not parts:
        return absent("not_applicable", "a group of one GPU has no pair")
    if True in parts:
        return known(True, _DERIVED)
    return absent("not_provided", "not known for every pair") if None in parts else known(False, _DERIVED)


def _least(facts: Sequence[Fact[int]]) -> Fact[int]:
    values = [value for fact in facts if (value := fact.or_none()) is not None]
    if not facts or len(values) < len(facts):
        return next((fact for fact in facts if not fact.known), absent("not_applicable", "no GPU is visible"))
    return known(min(values), _DERIVED)


def _usable_tp(facts: Facts, count: int | None) -> Fact[int]:
    """The largest legal TP size that fits the visible GPUs; powers of two where the model's shape is not known."""
    if count is None:
        return absent("not_provided", "the visible GPUs are not counted")
    legal = facts.model.legal_tp.or_none()
    sizes = legal if legal else tuple(1 << power for power in range(10))
    fitting = [size for size in sizes if size <= count]
    return known(max(fitting), _DERIVED) if fitting else absent("not_applicable", "no GPU is visible")


class _Better(Struct, frozen=True):
    gpus: Fact[tuple[int, ...]]
    worst_link: Fact[str]
    visible_devices: Fact[str]


def _choice(facts: Facts, visible: tuple[Gpu, ...]) -> tuple[Gpu, ...]:
    """The GPUs to choose from: the visible ones, and idle ones that CUDA_VISIBLE_DEVICES leaves out.

    Where a scheduler or a container runtime has chosen, nothing else is ours to take.
    """
    variables = facts.environment.variables.or_none() or {}
    assigned = facts.virtualization.container.or_none() != "none" or any(
        name.startswith(_SCHEDULERS) for name in variables
    )
    if facts.visible.raw.or_none() is None or assigned:
        return visible
    listed = {gpu.index for gpu in visible}
    return (*visible, *(gpu for gpu in facts.gpus.devices.or_none() or () if gpu.index not in listed and _idle(gpu)))


def _idle(gpu: Gpu) -> bool:
    return gpu.processes.or_none() == () and (gpu.memory_used_bytes.or_none() or 0) < _IDLE_BYTES


def _better(facts: Facts, visible: Sequence[Gpu], members: Sequence[Gpu], tp: int | None) -> _Better:
    """A group of the same size whose worst link is of a better class, where there is one."""
    none: Fact[NoReturn] = absent("not_applicable", "no better group is known")
    nothing = _Better(none, none, none)
    size = len(members)
    one_block = tp is None or tp == size
    if not one_block or not 2 <= size < len(visible) or comb(len(visible), size) > _MAX_CHOICES:
        return nothing
    table = _table(facts)
    ours = _score(members, table)
    scored = (
        (score.key(), group) for group in combinations(visible, size) if (score := _score(group, table)) is not None
    )
    best_key, best = min(scored, key=lambda entry: entry[0], default=(None, None))
    if ours is None or best is None or best_key is None or best_key[:2] >= ours.key()[:2]:
        return nothing
    links = [pair.link.or_none() for pair in _pairs(best, table) if pair is not None]
    return _Better(
        gpus=known(tuple(gpu.index for gpu in best), _DERIVED),
        worst_link=_worst(links),
        visible_devices=_visible_value(facts, best),
    )


def _score(group: Sequence[Gpu], table: dict[tuple[int, int], GpuPair]) -> _Score | None:
    """None where a link is not known."""
    links = [pair.link.or_none() if pair is not None else None for pair in _pairs(group, table)]
    classes = [_class(link) for link in links if link is not None]
    if len(classes) < len(links):
        return None
    names = {gpu.name.or_none() for gpu in group}
    return _Score(len(names) > 1, max(classes, default=0), sum(classes))


def _visible_value(facts: Facts, group: Sequence[Gpu]) -> Fact[str]:
    """Numbers for CUDA_VISIBLE_DEVICES: CUDA's own, which are nvidia-smi's only where the two orders agree."""
    if facts.visible.order_differs.or_none():
        numbers = [gpu.cuda_index.or_none() for gpu in group]
        if None in numbers:
            return absent("not_provided", "CUDA's own order of the GPUs is not known")
        return known(",".join(str(number) for number in numbers), "cuda")
    return known(",".join(str(gpu.index) for gpu in group), _DERIVED)
