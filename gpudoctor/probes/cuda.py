"""The CUDA driver API: does it start, which devices in which order, who may access whose memory.

Nothing here creates a context, so no GPU memory is touched. Runs alone in a forked child: cuInit can block for as long
as the driver does.
"""

from __future__ import annotations

import time
from functools import partial

from msgspec.structs import replace

from gpudoctor.host import Host, HostError
from gpudoctor.host.marker import calling
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.cuda import CudaDevice, CudaDriver, PeerAccess
from gpudoctor.probes import _cuda_visible as visible
from gpudoctor.probes._cuda_library import LIBRARY, SOURCE, CudaProblem, Library, fact_of
from gpudoctor.probes._stalled import Stalled
from gpudoctor.readers.home import shown

_SECOND_LOOK_S = 2.0  # that the second look may take longer than the first, beside which it runs
_PERFORMANCE_RANK = 1
_NATIVE_ATOMICS = 3
_MAJOR, _MINOR = 75, 76
_BUS, _SLOT, _DOMAIN = 33, 34, 50
_MEMORY_POOLS = 115  # CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED


def collect(host: Host, request: Request) -> CudaDriver:
    """Initialise with all devices and, where CUDA_VISIBLE_DEVICES is set, once more with those that it leaves."""
    if not host.live:
        return CudaDriver(init_error=absent("not_provided", "a recorded machine has no CUDA driver", SOURCE))
    stalled = Stalled(request.skip_calls)
    environment = request.environment(host)
    second = visible.start(environment, stalled) if visible.VARIABLE in environment else None
    visible.set_environment(environment, visible=False)
    began = time.monotonic()
    try:
        driver, seen = _first_look(host, stalled)
    finally:
        calling("")
    if second is not None:
        now = time.monotonic()
        seen = visible.finish(second, now + (now - began) + _SECOND_LOOK_S)
    return replace(
        driver,
        stalled_calls=known(tuple(sorted(request.skip_calls)), SOURCE),
        visible_init_error=seen.init_error,
        visible_uuids=seen.uuids,
    )


def _first_look(host: Host, stalled: Stalled) -> tuple[CudaDriver, visible.Visible]:
    """With all devices; and what a workload without CUDA_VISIBLE_DEVICES would see."""
    try:
        library = Library(stalled)
    except CudaProblem as problem:
        fields = (field for field in CudaDriver.__struct_fields__ if not field.startswith(("visible_", "stalled_")))
        driver = CudaDriver(**dict.fromkeys(fields, problem.fact()))
        return driver, visible.Visible.absent_because(problem)
    path = _library_path(host)
    version = fact_of(_version, library)
    try:
        library.call("cuInit", 0)
    except CudaProblem as problem:
        return _without_init(problem, path, version), visible.without_init(problem)
    count = fact_of(library.number, "cuDeviceGetCount")
    devices = _devices(library, count)
    driver = CudaDriver(
        library=path,
        init_error=known("", SOURCE),
        init_error_code=known(0, SOURCE),
        version=version,
        device_count=count,
        devices=devices,
        peer_access=_peer_access(library, devices),
    )
    return driver, visible.Visible(known("", SOURCE), _uuids(devices))


def _without_init(problem: CudaProblem, path: Fact[str], version: Fact[str]) -> CudaDriver:
    answered = problem.code is not None
    empty = problem.code == visible.NO_DEVICE
    return CudaDriver(
        library=path,
        init_error=known(problem.detail, SOURCE) if answered else problem.fact(),
        init_error_code=known(problem.code, SOURCE) if problem.code is not None else problem.fact(),
        version=version,
        device_count=known(0, SOURCE) if empty else problem.fact(),
        devices=known((), SOURCE) if empty else problem.fact(),
        peer_access=known((), SOURCE) if empty else problem.fact(),
    )


def _library_path(host: Host) -> Fact[str]:
    """Of the file that was really mapped; read from our own process, not from a mounted root."""
    try:
        maps = host.unrooted.read("/proc/self/maps").decode("utf-8", "replace")
    except HostError as error:
        return error.fact(SOURCE)
    stem = LIBRARY.partition(".")[0]
    for line in maps.splitlines():
        path = line.partition("/")[1] + line.partition("/")[2]
        if path.rpartition("/")[2].startswith(f"{stem}."):
            return known(shown(path, host.environ.get("HOME", "")), SOURCE)
    return absent("failed", f"{LIBRARY} is not among the mapped files", SOURCE)


def _uuids(devices: Fact[tuple[CudaDevice, ...]]) -> Fact[tuple[str, ...]]:
    listed = devices.or_none()
    if listed is None:
        return Fact(absent=devices.absent, detail=devices.detail, source=SOURCE)
    for device in listed:
        if not device.uuid.known:
            return Fact(absent=device.uuid.absent, detail=device.uuid.detail, source=SOURCE)
    return known(tuple(str(device.uuid.value) for device in listed), SOURCE)


def _version(library: Library) -> str:
    number = library.number("cuDriverGetVersion")
    return f"{number // 1000}.{number % 1000 // 10}"


def _devices(library: Library, count: Fact[int]) -> Fact[tuple[CudaDevice, ...]]:
    number = count.or_none()
    if number is None:
        return Fact(absent=count.absent, detail=count.detail, source=SOURCE)
    return known(tuple(_device(library, index) for index in range(min(number, visible.MAX_DEVICES))), SOURCE)


def _device(library: Library, index: int) -> CudaDevice:
    handle = library.handle(index)
    return CudaDevice(
        index=index,
        uuid=fact_of(library.uuid, handle),
        name=fact_of(library.name, handle),
        pci_bus_id=fact_of(_bus_id, library, handle),
        compute_capability=fact_of(_capability, library, handle),
        memory_pools=fact_of(lambda: library.attribute(_MEMORY_POOLS, handle) != 0),
    )


def _bus_id(library: Library, handle: int) -> str:
    try:
        return library.pci_bus_id(handle)
    except CudaProblem:
        domain, bus, slot = (library.attribute(attribute, handle) for attribute in (_DOMAIN, _BUS, _SLOT))
        return f"{domain:04x}:{bus:02x}:{slot:02x}.0"


def _capability(library: Library, handle: int) -> str:
    return f"{library.attribute(_MAJOR, handle)}.{library.attribute(_MINOR, handle)}"


def _peer_access(library: Library, devices: Fact[tuple[CudaDevice, ...]]) -> Fact[tuple[PeerAccess, ...]]:
    """Every ordered pair. A device whose address is not told has no name to appear under."""
    listed = devices.or_none()
    if listed is None:
        return Fact(absent=devices.absent, detail=devices.detail, source=SOURCE)
    nameless = [device.pci_bus_id for device in listed if not device.pci_bus_id.known]
    if nameless:
        return Fact(absent=nameless[0].absent, detail=nameless[0].detail, source=SOURCE)
    ends = [(library.handle(device.index), str(device.pci_bus_id.value)) for device in listed]
    return known(tuple(_access(library, a, b) for a in ends for b in ends if a != b), SOURCE)


def _access(library: Library, a: tuple[int, str], b: tuple[int, str]) -> PeerAccess:
    ask = partial(library.between, a[0], b[0])
    return PeerAccess(
        a=a[1],
        b=b[1],
        allowed=fact_of(lambda: ask("cuDeviceCanAccessPeer") != 0),
        performance_rank=fact_of(ask, "cuDeviceGetP2PAttribute", _PERFORMANCE_RANK),
        native_atomics=fact_of(lambda: ask("cuDeviceGetP2PAttribute", _NATIVE_ATOMICS) != 0),
    )


PROBE = Probe(
    name="cuda",
    section=CudaDriver,
    collect=collect,
    timeout_s=40.0,
    isolated=True,
    marker=True,
    first_calls=frozenset({"cuInit"}),
)
