"""Resource limits of this process (raw). -1 means unlimited."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Limits(Section, frozen=True, kw_only=True):
    """Soft limits as a child of this shell would get them."""

    memlock_bytes: Fact[int] = NOT_PROVIDED
    nofile: Fact[int] = NOT_PROVIDED
    nproc: Fact[int] = NOT_PROVIDED
    address_space_bytes: Fact[int] = NOT_PROVIDED
    core_bytes: Fact[int] = NOT_PROVIDED
    pids_max: Fact[int] = NOT_PROVIDED  # of the cgroup
