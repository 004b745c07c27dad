"""How far each rank came, from dumps of the run itself: NCCL's RAS client, torch's flight recorder (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class RankProgress(Item, frozen=True, kw_only=True):
    """One rank in one process group. Numbers are the group's own count of collectives."""

    rank: int  # -1 where the dump does not say
    group: str = ""  # the process group's number in torch
    last_enqueued: Fact[int] = NOT_PROVIDED
    last_started: Fact[int] = NOT_PROVIDED
    last_completed: Fact[int] = NOT_PROVIDED
    pending: Fact[str] = NOT_PROVIDED  # the oldest operation that is not done: "all_reduce"; not_applicable: none
    pending_sizes: Fact[str] = NOT_PROVIDED  # of its input: "4096" or "8x4096"
    pending_state: Fact[str] = NOT_PROVIDED  # scheduled | started


class Collective(Section, frozen=True, kw_only=True):
    """`ranks_behind` and `ranks_missing` are what the dump itself says; who stalled them is for rules to say."""

    source: Fact[str] = NOT_PROVIDED  # ncclras | flight recorder
    nodes: Fact[int] = NOT_PROVIDED
    ranks_expected: Fact[int] = NOT_PROVIDED
    ranks_missing: Fact[tuple[int, ...]] = NOT_PROVIDED  # of which there is no data
    ranks_missing_count: Fact[int] = NOT_PROVIDED
    ranks_behind: Fact[tuple[int, ...]] = NOT_PROVIDED  # launched fewer operations than the others
    ranks_behind_count: Fact[int] = NOT_PROVIDED
    dead_processes: Fact[int] = NOT_PROVIDED  # that RAS no longer reaches
    mismatched_communicators: Fact[int] = NOT_PROVIDED  # with different counts of operations
    progress: Fact[tuple[RankProgress, ...]] = NOT_PROVIDED
    pickled_dump: Fact[bool] = NOT_PROVIDED  # a flight-recorder dump that must be converted before it can be read
