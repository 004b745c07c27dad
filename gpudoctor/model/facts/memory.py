"""Host memory and the cgroup's limit (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class HostMemory(Section, frozen=True, kw_only=True):
    """`limit_bytes` is the smallest cgroup limit above this process; absent not_applicable where there is none."""

    total_bytes: Fact[int] = NOT_PROVIDED
    available_bytes: Fact[int] = NOT_PROVIDED
    swap_total_bytes: Fact[int] = NOT_PROVIDED
    swap_free_bytes: Fact[int] = NOT_PROVIDED
    limit_bytes: Fact[int] = NOT_PROVIDED
    limit_used_bytes: Fact[int] = NOT_PROVIDED
    cgroup_oom_kills: Fact[int] = NOT_PROVIDED
