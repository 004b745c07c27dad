"""What NVML says of the driver, of every GPU and of every pair, through nvidia-ml-py.

Runs alone in a forked child: NVML can block for ever when a GPU's firmware is wedged. Whatever one function, one GPU or
one pair does not tell is an absent fact there and costs nothing else. nvmlShutdown is left out: it could hang too, and
the child ends anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from gpudoctor.host import Host
from gpudoctor.host.marker import calling
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.gpus import Gpu
from gpudoctor.model.facts.nvml import Nvml
from gpudoctor.model.facts.section import Section
from gpudoctor.probes import _nvml_values as values
from gpudoctor.probes._nvml_errors import (
    INVALID_ARGUMENT,
    LIBRARY_NOT_FOUND,
    NOT_FOUND,
    SOURCE,
    NvmlProblem,
    error_name,
    fact_of,
    outcome,
)
from gpudoctor.probes._nvml_fabric import FIELDS as FABRIC_FIELDS
from gpudoctor.probes._nvml_fabric import read_fabric
from gpudoctor.probes._nvml_fields import READINGS
from gpudoctor.probes._nvml_library import Device, Library, load
from gpudoctor.probes._nvml_nvlink import FIELDS as NVLINK_FIELDS
from gpudoctor.probes._nvml_nvlink import NvLinks, read_nvlinks
from gpudoctor.probes._nvml_pairs import Node, read_pairs
from gpudoctor.probes._nvml_processes import Owners, list_processes
from gpudoctor.probes._stalled import Stalled

MAX_GPUS = 64

_GPU_FIELDS = (
    *(field for reading in READINGS for field in reading.fields),
    *FABRIC_FIELDS,
    *NVLINK_FIELDS,
    "processes",
)


def collect(host: Host, request: Request) -> Nvml:
    """Everything that NVML tells."""
    if not host.live:
        return Nvml(init_error=absent("not_provided", "a recorded machine has no NVML", SOURCE))
    stalled = Stalled(request.skip_calls)
    try:
        return _collect(host, stalled)
    finally:
        calling("")


def _collect(host: Host, stalled: Stalled) -> Nvml:
    library = outcome(_start, stalled)
    if isinstance(library, NvmlProblem):
        return _without_init(library, stalled)
    count = fact_of(lambda: values.count(library.call("nvmlDeviceGetCount")))
    gpus = _open_gpus(library, count.or_none())
    devices, links = _read_gpus(gpus, Owners(host, stalled))
    return Nvml(
        init_error=known("", SOURCE),
        library_version=fact_of(_text, values.text, library, "nvmlSystemGetNVMLVersion"),
        driver_version=fact_of(_text, values.text, library, "nvmlSystemGetDriverVersion"),
        cuda_driver_version=_cuda_driver_version(library),
        confidential_compute=_confidential_compute(library),
        count=count,
        devices=known(devices, SOURCE),
        pairs=known(read_pairs(_nodes(gpus, devices, links)), SOURCE),
        stalled_calls=known(tuple(sorted(stalled.functions)), SOURCE),
    )


def _start(stalled: Stalled) -> Library:
    library = load(stalled)
    library.call("nvmlInitWithFlags", 0, mark="nvmlInit")
    return library


def _without_init(error: NvmlProblem, stalled: Stalled) -> Nvml:
    """NVML answered with an error: that is the fact. It did not answer: nothing is known."""
    init_error: Fact[str] = error.fact() if error.code is None else known(error_name(error.code), SOURCE)
    rest: Fact[object]
    if error.code is None:
        rest = error.fact()
    elif error.code == LIBRARY_NOT_FOUND:
        rest = absent("tool_missing", "libnvidia-ml.so.1 is not installed", SOURCE)
    else:
        rest = absent("failed", f"nvmlInit: {error_name(error.code)}", SOURCE)
    fields = (field for field in Nvml.__struct_fields__ if field not in {"init_error", "stalled_calls"})
    answer = Nvml(init_error=init_error, stalled_calls=known(tuple(sorted(stalled.functions)), SOURCE))
    return replace(answer, **dict.fromkeys(fields, rest))


def _cuda_driver_version(library: Library) -> Fact[str]:
    newer = fact_of(_text, values.cuda_version, library, "nvmlSystemGetCudaDriverVersion_v2")
    older = fact_of(_text, values.cuda_version, library, "nvmlSystemGetCudaDriverVersion")
    return older if older.known and not newer.known else newer


def _text(convert: Callable[[object], str], library: Library, function: str) -> str:
    return convert(library.call(function))


def _confidential_compute(library: Library) -> Fact[bool]:
    state = outcome(library.call, "nvmlSystemGetConfComputeState")
    if isinstance(state, NvmlProblem):
        return known(value=False, source=SOURCE) if state.unsupported else state.fact()
    return fact_of(lambda: values.member(state, "ccFeature") != 0)


def _open_gpus(library: Library, count: int | None) -> list[Device | NvmlProblem]:
    """A handle for each GPU, or why there is none. Without a count, up to the first index that does not exist."""
    opened: list[Device | NvmlProblem] = []
    for index in range(MAX_GPUS if count is None else min(count, MAX_GPUS)):
        handle = outcome(partial(library.call, target=str(index)), "nvmlDeviceGetHandleByIndex", index)
        if not isinstance(handle, NvmlProblem):
            opened.append(Device(library, index, handle))
        elif count is None and handle.code in {INVALID_ARGUMENT, NOT_FOUND}:
            break
        else:
            opened.append(handle)
    while count is None and opened and isinstance(opened[-1], NvmlProblem):
        opened.pop()
    return opened


def _read_gpus(gpus: list[Device | NvmlProblem], owners: Owners) -> tuple[tuple[Gpu, ...], list[NvLinks | NvmlProblem]]:
    """Facts first: what a link leads to is told by the addresses of all GPUs."""
    facts = [_facts(gpu) for gpu in gpus]
    addresses = frozenset(
        str(fact["pci_bus_id"].value) for fact in facts if "pci_bus_id" in fact and fact["pci_bus_id"].known
    )
    links: list[NvLinks | NvmlProblem] = []
    devices = []
    for index, (gpu, fact) in enumerate(zip(gpus, facts, strict=True)):
        if isinstance(gpu, NvmlProblem):
            links.append(gpu)
            devices.append(_closed(index, gpu))
            continue
        capability = str(fact["compute_capability"].or_none() or "")
        nvlinks = read_nvlinks(gpu, capability, addresses)
        links.append(nvlinks)
        whole = {**fact, **nvlinks.facts, **read_fabric(gpu), "processes": list_processes(gpu, owners)}
        devices.append(_gpu(index, gpu.access_error, whole))
    return tuple(devices), links


def _facts(gpu: Device | NvmlProblem) -> dict[str, Fact[object]]:
    facts: dict[str, Fact[object]] = {}
    if isinstance(gpu, Device):
        for reading in READINGS:
            facts |= reading.read(gpu)
    return facts


def _gpu(index: int, access_error: str, facts: dict[str, Fact[object]]) -> Gpu:
    return replace(Gpu(index=index, access_error=known(access_error, SOURCE)), **facts)


def _closed(index: int, error: NvmlProblem) -> Gpu:
    """A GPU that NVML counts and does not open."""
    access: Fact[str] = error.fact() if error.code is None else known(error_name(error.code), SOURCE)
    facts: dict[str, Fact[object]] = dict.fromkeys(_GPU_FIELDS, error.fact())
    return replace(Gpu(index=index, access_error=access), **facts)


def _nodes(
    gpus: list[Device | NvmlProblem], devices: tuple[Gpu, ...], links: list[NvLinks | NvmlProblem]
) -> list[Node]:
    return [
        Node(
            index=device.index,
            device=gpu if isinstance(gpu, Device) else None,
            address=device.pci_bus_id.or_none(),
            ends=link.ends if isinstance(link, NvLinks) else link,
        )
        for gpu, device, link in zip(gpus, devices, links, strict=True)
    ]


def _is_complete(section: Section) -> bool:
    """Whether it leaves nothing that nvidia-smi, which uses NVML too, could still bring."""
    return isinstance(section, Nvml) and bool(section.devices.or_none()) and not section.stalled_calls.or_none()


PROBE = Probe(
    name="nvml",
    section=Nvml,
    collect=collect,
    timeout_s=40.0,
    isolated=True,
    marker=True,
    first_calls=frozenset({"nvmlInit", "nvmlDeviceGetHandleByIndex"}),
    starts_first=True,
    is_complete=_is_complete,
)
