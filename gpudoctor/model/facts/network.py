"""Network interfaces and what NCCL and Gloo would choose (raw). Addresses are kept as kinds, not numbers."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class Interface(Item, frozen=True, kw_only=True):
    """One interface with an address."""

    name: str
    kind: Fact[str] = NOT_PROVIDED  # loopback | ethernet | infiniband | docker | virtual | wireless | bond | vpn
    up: Fact[bool] = NOT_PROVIDED
    ipv4: Fact[bool] = NOT_PROVIDED
    ipv6: Fact[bool] = NOT_PROVIDED  # global, not link-local
    speed_mbps: Fact[int] = NOT_PROVIDED
    mtu: Fact[int] = NOT_PROVIDED


class Network(Section, frozen=True, kw_only=True):
    """Interfaces, and the choices that follow from the environment."""

    interfaces: Fact[tuple[Interface, ...]] = NOT_PROVIDED
    default_route: Fact[str] = NOT_PROVIDED  # interface of the default route
    nccl_choice: Fact[str] = NOT_PROVIDED  # interface NCCL's bootstrap would take; absent failed where none matches
    gloo_choice: Fact[str] = NOT_PROVIDED
    hostname_resolves_to: Fact[str] = NOT_PROVIDED  # nothing | loopback | interface name | foreign
    nccl_ifname_unmatched: Fact[tuple[str, ...]] = NOT_PROVIDED  # entries of NCCL_SOCKET_IFNAME that match nothing
    gloo_ifname_unmatched: Fact[tuple[str, ...]] = NOT_PROVIDED
    master_port_in_use: Fact[bool] = NOT_PROVIDED
