"""The NVLinks of one GPU: how many there are, how many are up, and what is at their other ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import INVALID_ARGUMENT, SOURCE, NvmlProblem, fact_of, outcome
from gpudoctor.probes._nvml_fields import field_value
from gpudoctor.probes._nvml_library import Device

FIELDS = ("nvlinks_total", "nvlinks_active", "nvlink_version", "nvlink_to_switch", "nvlink_crc_errors")

_FIELD_LINK_COUNT = 91
_FIELD_CRC_FLIT_TOTAL = 38
_FIELD_CRC_DATA_TOTAL = 45
_COUNTER_CRC_FLIT, _COUNTER_CRC_DATA = 2, 3
_MOST_LINKS = 64  # NVML_NVLINK_MAX_LINKS is 36 in 2026; it has grown three times
_REMOTE_GPU, _REMOTE_SWITCH = 0, 2


class Ends(Struct, frozen=True):
    """The other ends of a GPU's active links."""

    active: int
    gpus: tuple[str, ...] = ()  # PCI addresses, one entry a link
    to_switch: int = 0
    unknown: int = 0  # neither known to be a GPU nor to be a switch
    problem: NvmlProblem | None = None  # the first that kept an address from us


class NvLinks(Struct, frozen=True):
    """The facts of a GPU, and what its links lead to (a problem where that could not be had)."""

    facts: dict[str, Fact[object]]
    ends: Ends | NvmlProblem


class _States(Struct, frozen=True):
    total: int
    active: tuple[int, ...]  # link numbers


def read_nvlinks(gpu: Device, compute_capability: str, addresses: frozenset[str]) -> NvLinks:
    """Ask for every link. `addresses` are the PCI addresses of all GPUs: a link to one of them leads to no switch."""
    counted = outcome(field_value, gpu, _FIELD_LINK_COUNT)
    total = None if isinstance(counted, NvmlProblem) else min(counted, _MOST_LINKS)
    states = outcome(_states, gpu, total)
    if isinstance(states, NvmlProblem):
        return _unreadable(total, states)
    facts: dict[str, Fact[object]] = {
        "nvlinks_total": known(states.total, SOURCE),
        "nvlinks_active": known(len(states.active), SOURCE),
    }
    if not states.total:
        nothing: Fact[object] = absent("not_applicable", "this GPU has no NVLink", SOURCE)
        return NvLinks(dict.fromkeys(FIELDS, nothing) | facts, Ends(0))
    ends = _ends(gpu, states.active, addresses)
    facts["nvlink_version"] = fact_of(_version, gpu, states, compute_capability)
    facts["nvlink_to_switch"] = _to_switch(ends)
    facts["nvlink_crc_errors"] = _crc_errors(gpu, states.total)
    return NvLinks(facts, ends)


def _unreadable(total: int | None, problem: NvmlProblem) -> NvLinks:
    facts: dict[str, Fact[object]] = dict.fromkeys(FIELDS, problem.fact())
    if total:
        facts["nvlinks_total"] = known(total, SOURCE)
    return NvLinks(facts, problem)


def _states(gpu: Device, total: int | None) -> _States:
    """NOT_SUPPORTED for the first link means no NVLink, or, where links were counted, none that can be used."""
    active = []
    seen = 0
    for link in range(total or _MOST_LINKS):
        state = outcome(gpu.call, "nvmlDeviceGetNvLinkState", link)
        if not isinstance(state, NvmlProblem):
            seen += 1
            if values.flag(state):
                active.append(link)
        elif _past_the_last(state, link, total):
            break
        elif not state.unsupported:
            raise state
    return _States(total or seen, tuple(active))


def _past_the_last(state: NvmlProblem, link: int, total: int | None) -> bool:
    if state.code == INVALID_ARGUMENT:
        return link > 0 or not total  # where links were counted, the first one exists
    return state.unsupported and link == 0


def _ends(gpu: Device, active: tuple[int, ...], addresses: frozenset[str]) -> Ends:
    gpus: list[str] = []
    to_switch = unknown = 0
    problem: NvmlProblem | None = None
    for link in active:
        kind = outcome(gpu.call, "nvmlDeviceGetNvLinkRemoteDeviceType", link)
        if kind == _REMOTE_SWITCH:
            to_switch += 1
            continue
        address = outcome(_remote_address, gpu, link)
        if isinstance(address, NvmlProblem):
            problem = problem or address
            unknown += kind != _REMOTE_GPU
        elif kind == _REMOTE_GPU or address in addresses:
            gpus.append(address)
        else:
            unknown += 1
    return Ends(len(active), tuple(gpus), to_switch, unknown, problem)


def _remote_address(gpu: Device, link: int) -> str:
    return values.bus_id(gpu.call("nvmlDeviceGetNvLinkRemotePciInfo", link))


def _to_switch(ends: Ends) -> Fact[object]:
    if not ends.active:
        return absent("not_applicable", "no NVLink is active", SOURCE)
    if ends.unknown and not ends.to_switch:
        return absent("not_supported", "the kind of device at the other end is not told", SOURCE)
    return known(ends.to_switch > 0, SOURCE)


def _version(gpu: Device, states: _States, compute_capability: str) -> object:
    link = states.active[0] if states.active else 0
    return values.nvlink_generation(gpu.call("nvmlDeviceGetNvLinkVersion", link), compute_capability)


def _crc_errors(gpu: Device, total: int) -> Fact[object]:
    """Since the driver was loaded, over all links; link by link where the driver has no totals."""
    totals = [lambda field=field: field_value(gpu, field) for field in (_FIELD_CRC_FLIT_TOTAL, _FIELD_CRC_DATA_TOTAL)]
    counters = [
        lambda link=link, counter=counter: values.count(gpu.call("nvmlDeviceGetNvLinkErrorCounter", link, counter))
        for link in range(total)
        for counter in (_COUNTER_CRC_FLIT, _COUNTER_CRC_DATA)
    ]
    found = fact_of(_sum, totals)
    return found if found.known else fact_of(_sum, counters)


def _sum(queries: Sequence[Callable[[], int]]) -> object:
    """The sum of what there is: an unsupported query counts as nothing, unless all are."""
    total = 0
    answers = [outcome(query) for query in queries]
    for answer in answers:
        if not isinstance(answer, NvmlProblem):
            total += answer
        elif not answer.unsupported or all(isinstance(other, NvmlProblem) for other in answers):
            raise answer
    return total
