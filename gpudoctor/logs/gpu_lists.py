"""Lists of GPUs from several places → one: `nvidia-smi -L` tells UUIDs, the table memory, `nvlink -s` the links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import fields, replace

from gpudoctor.model.fact import NOT_PROVIDED, Fact, known
from gpudoctor.model.facts import Gpu, NvidiaSmi, SmiP2p

_IDENTITY: Final = ("uuid", "pci_bus_id", "name")
_FIELDS: Final = tuple(field.name for field in fields(Gpu) if field.name != "index")


def joined_lists(sections: Sequence[NvidiaSmi]) -> dict[str, Fact[Any]]:
    """Fields of `NvidiaSmi` whose items are joined one by one; the sections come best first."""
    found: dict[str, Fact[Any]] = {}
    lists = [section for section in sections if section.gpus.known]
    if len(lists) > 1:
        whole = lists[0].gpus_partial.or_none() is False
        gpus = _gpus([section.gpus.or_none() or () for section in lists], whole=whole)
        found["gpus"] = known(gpus, lists[0].gpus.source)
        found["gpus_partial"] = _partial(lists, len(gpus))
    p2p = [section.p2p for section in sections if section.p2p.known]
    if len(p2p) > 1:
        found["p2p"] = known(_cells([fact.or_none() or () for fact in p2p]), p2p[0].source)
    return found


def _partial(lists: Sequence[NvidiaSmi], count: int) -> Fact[bool]:
    """A list that is whole is enough, as long as no other one knows more."""
    whole = [one for one in lists if one.gpus_partial.or_none() is False and len(one.gpus.or_none() or ()) == count]
    if whole:
        return whole[0].gpus_partial
    return next((one.gpus_partial for one in lists if one.gpus_partial.or_none()), NOT_PROVIDED)


def _gpus(lists: Sequence[tuple[Gpu, ...]], *, whole: bool) -> tuple[Gpu, ...]:
    """A list whose GPUs contradict the better one is of another machine, and left out; a `whole` one gets no more."""
    best = {gpu.index: gpu for gpu in lists[0]}
    for other in lists[1:]:
        if any(_differ(best[gpu.index], gpu) for gpu in other if gpu.index in best):
            continue
        for gpu in other:
            if gpu.index in best:
                best[gpu.index] = _completed(best[gpu.index], gpu)
            elif not whole:
                best[gpu.index] = gpu
    return tuple(best[index] for index in sorted(best))


def _differ(a: Gpu, b: Gpu) -> bool:
    for name in _IDENTITY:
        one, other = getattr(a, name).or_none(), getattr(b, name).or_none()
        if one is not None and other is not None:
            return bool(one != other) and not _same_name(str(one), str(other))
    return False


def _same_name(a: str, b: str) -> bool:
    """People leave parts of a name out: H100, NVIDIA H100 80GB HBM3."""
    short, long = sorted((a.lower().removeprefix("nvidia "), b.lower().removeprefix("nvidia ")), key=len)
    return set(short.split()) <= set(long.split())


def _completed(gpu: Gpu, other: Gpu) -> Gpu:
    gaps = {
        name: getattr(other, name) for name in _FIELDS if not getattr(gpu, name).known and getattr(other, name).known
    }
    return replace(gpu, **gaps) if gaps else gpu


def _cells(lists: Sequence[tuple[SmiP2p, ...]]) -> tuple[SmiP2p, ...]:
    """Each capability of a pair once; people ask for reading and writing in turn."""
    cells: dict[tuple[int, int, str], SmiP2p] = {}
    for one in lists:
        for cell in one:
            cells.setdefault((cell.a, cell.b, cell.capability), cell)
    return tuple(cells.values())
