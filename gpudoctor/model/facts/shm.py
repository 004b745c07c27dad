"""The shared memory mount (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Shm(Section, frozen=True, kw_only=True):
    """The shared memory mount that NCCL and the frameworks' queues use."""

    size_bytes: Fact[int] = NOT_PROVIDED
    free_bytes: Fact[int] = NOT_PROVIDED
    writable: Fact[bool] = NOT_PROVIDED
    stale_nccl_files: Fact[int] = NOT_PROVIDED
    stale_nccl_bytes: Fact[int] = NOT_PROVIDED
