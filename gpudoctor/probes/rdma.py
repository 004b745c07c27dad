"""InfiniBand and RoCE devices: /sys/class/infiniband, /dev/infiniband, the verbs library."""

from __future__ import annotations

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import names_in, read_fact
from gpudoctor.model.fact import Fact, known
from gpudoctor.model.facts import Rdma, RdmaDevice
from gpudoctor.readers.infiniband import link_layer, port_state, rate_gbps
from gpudoctor.readers.numbers import integer

_CLASS = "/sys/class/infiniband"
_NODES = "/dev/infiniband"
_LIBRARY = "libibverbs.so.1"
_LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/lib64",
    "/lib",
)
_MAX_DEVICES = 128
_MAX_PORTS = 8


def collect(host: Host, request: Request) -> Rdma:  # noqa: ARG001 - every probe is called alike
    """Ports, verbs library and device nodes; none of them is the healthy state of a single node."""
    return Rdma(
        devices=_devices(host),
        verbs_library=known(any(host.exists(f"{folder}/{_LIBRARY}") for folder in _LIBRARY_FOLDERS), _LIBRARY),
        device_nodes=known(sum(1 for name in names_in(host, _NODES) if name.startswith("uverbs")), _NODES),
    )


def _devices(host: Host) -> Fact[tuple[RdmaDevice, ...]]:
    try:
        names = host.list_dir(_CLASS)
    except HostError as error:
        return known((), _CLASS) if error.reason == "not_applicable" else error.fact(_CLASS)
    ports = [
        (name, port)
        for name in names[:_MAX_DEVICES]
        for port in names_in(host, f"{_CLASS}/{name}/ports")[:_MAX_PORTS]
        if port.isdecimal() and len(port) <= 3
    ]
    return known(tuple(_port(host, name, port) for name, port in ports), _CLASS)


def _port(host: Host, name: str, port: str) -> RdmaDevice:
    base = f"{_CLASS}/{name}/ports/{port}"
    return RdmaDevice(
        name=name,
        port=int(port),
        state=read_fact(host, f"{base}/state", port_state, _CLASS),
        link_layer=read_fact(host, f"{base}/link_layer", link_layer, _CLASS),
        rate_gbps=read_fact(host, f"{base}/rate", rate_gbps, _CLASS),
        numa_node=read_fact(host, f"{_CLASS}/{name}/device/numa_node", _numa_node, _CLASS),
    )


def _numa_node(text: str) -> int:
    node = integer(text)
    if node < 0:
        raise HostError("not_applicable", "the firmware names no NUMA node")
    return node


PROBE = Probe(name="rdma", section=Rdma, collect=collect)
