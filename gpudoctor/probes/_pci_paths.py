"""The way between two GPUs: distance from the bridges they share, and which bridges on it redirect."""

from __future__ import annotations

from msgspec import Struct, field

from gpudoctor.host.access import Host, HostError
from gpudoctor.model.fact import Fact, absent, absent_like, known
from gpudoctor.model.facts import PciPath
from gpudoctor.readers.pci_config import ConfigUnreadableError, DeviceSilentError, acs_control, redirects
from gpudoctor.readers.pci_distance import level, shared_bridges
from gpudoctor.readers.pci_sysfs import Place

SOURCE = "sysfs"
_CONFIG_BYTES = 4096
_STANDARD_CONFIG_BYTES = 256  # what there is to see of a bridge without extended configuration space


class Located(Struct, frozen=True):
    """A GPU, its place in the tree and its NUMA node (None where the firmware does not say)."""

    bus_id: str
    place: Place
    numa_node: int | None


class PathFinder(Struct):
    """Makes paths; reads the configuration space of each bridge once."""

    host: Host
    devices: str
    numa_nodes: int  # of the machine
    _redirecting: dict[str, Fact[bool]] = field(default_factory=dict)

    def path(self, a: Located, b: Located) -> PciPath:
        """The path between two GPUs, `a` before `b` in bus order."""
        shared = shared_bridges(a.place, b.place)
        bridges = a.place.bridges[shared:] + b.place.bridges[shared:]
        return PciPath(
            a=a.bus_id,
            b=b.bus_id,
            level=level(a.place, b.place, (a.numa_node, b.numa_node), self.numa_nodes, SOURCE),
            bridges=known(bridges, SOURCE),
            acs_redirect=self._acs(bridges, shared),
        )

    def _acs(self, bridges: tuple[str, ...], shared: int) -> Fact[tuple[str, ...]]:
        """One bridge that redirects decides; a clean bill needs every bridge."""
        if not bridges and not shared:
            return absent("not_supported", "no bridge is visible above these GPUs, as on a virtual bus", SOURCE)
        states = [(bridge, self._redirects(bridge)) for bridge in bridges]
        found = tuple(bridge for bridge, state in states if state.or_none())
        unread = next((state for _, state in states if not state.known), None)
        if unread is not None and not found:
            return absent_like(unread)
        return known(found, SOURCE)

    def _redirects(self, bridge: str) -> Fact[bool]:
        state = self._redirecting.get(bridge)
        if state is None:
            state = self._redirecting[bridge] = self._read(bridge)
        return state

    def _read(self, bridge: str) -> Fact[bool]:
        try:
            config = self.host.read(f"{self.devices}/{bridge}/config", _CONFIG_BYTES)
            control = acs_control(config)
        except HostError as error:
            return error.fact(SOURCE)
        except DeviceSilentError:
            return absent("failed", f"bridge {bridge} does not answer", SOURCE)
        except ConfigUnreadableError:
            if len(config) >= _STANDARD_CONFIG_BYTES:
                return absent("not_supported", f"bridge {bridge} has no extended configuration space", SOURCE)
            return absent("no_permission", f"the configuration space of bridge {bridge} is for root only", SOURCE)
        return known(control is not None and redirects(control), SOURCE)
