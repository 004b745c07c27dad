"""What `ray status` says of a Ray cluster (raw; of pastes only)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Ray(Section, frozen=True, kw_only=True):
    """Nodes and GPUs that Ray knows of, whatever the machines have."""

    nodes: Fact[int] = NOT_PROVIDED  # active ones
    gpus_total: Fact[int] = NOT_PROVIDED
    gpus_used: Fact[int] = NOT_PROVIDED
    demands: Fact[tuple[str, ...]] = NOT_PROVIDED  # resources that wait for a place, as Ray writes them
