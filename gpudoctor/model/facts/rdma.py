"""InfiniBand and RoCE devices (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class RdmaDevice(Item, frozen=True, kw_only=True):
    """A port of /sys/class/infiniband."""

    name: str
    port: int
    state: Fact[str] = NOT_PROVIDED  # ACTIVE, DOWN, INIT ...
    link_layer: Fact[str] = NOT_PROVIDED  # InfiniBand | Ethernet
    rate_gbps: Fact[float] = NOT_PROVIDED
    numa_node: Fact[int] = NOT_PROVIDED


class Rdma(Section, frozen=True, kw_only=True):
    """RDMA devices; an empty list is the healthy state of a single node."""

    devices: Fact[tuple[RdmaDevice, ...]] = NOT_PROVIDED
    verbs_library: Fact[bool] = NOT_PROVIDED
    device_nodes: Fact[int] = NOT_PROVIDED  # /dev/infiniband/uverbs*
