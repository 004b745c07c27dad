"""A GPU for each rank, or the CPU where there is no GPU and none was asked for."""

from __future__ import annotations

import os

from .channel import Channel, RefusedError
from .config import Config
from .opaque import Device, Properties, Torch
from .place import Place


def choose(torch: Torch, config: Config, place: Place, channel: Channel) -> tuple[str, Device]:
    """Backend and device of this rank. Raises RefusedError."""
    wanted = config.backend
    count = 0 if wanted == "gloo" else torch.cuda.device_count()
    if count or wanted == "nccl" or config.devices_asked:
        backend, device = "nccl", _take_gpu(torch, count, config, place, channel)
    else:
        backend, device = "gloo", torch.device("cpu")
        torch.set_num_threads(1)
        if not torch.distributed.is_gloo_available():
            raise RefusedError("no_backend", "this build of torch has no gloo")
    channel.tell("facts", backend=backend, device=str(device))
    return backend, device


def _take_gpu(torch: Torch, count: int, config: Config, place: Place, channel: Channel) -> Device:
    """Bind this rank to its GPU."""
    channel.tell("facts", backend="nccl", devices=count)
    if torch.version.cuda is None:
        raise RefusedError("no_cuda_build", "this build of torch has no CUDA: " + str(torch.__version__))
    # srun --gpus-per-task=1 and its like show each rank its own GPU, which is then the first one.
    bound = config.apart and count == 1 and bool(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if not bound and (place.local_rank >= count or place.local_world > count):
        text = "%d ranks on this machine, torch sees %d GPUs" % (place.local_world, count)
        raise RefusedError("too_few_devices", text)
    if not torch.distributed.is_nccl_available():
        raise RefusedError("no_backend", "this build of torch has no NCCL")
    device = torch.device("cuda", 0 if bound else place.local_rank)
    torch.cuda.set_device(device)
    torch.zeros(1, device=device)  # creates the context
    torch.cuda.synchronize()
    properties = torch.cuda.get_device_properties(device)
    version = torch.cuda.nccl.version()
    nccl = ".".join(map(str, version)) if isinstance(version, tuple) else str(version)
    channel.tell("facts", gpu=properties.name, nccl=nccl, bus=_bus_id(properties))
    return device


def _bus_id(properties: Properties) -> str:
    """Place on the PCI bus as /sys writes it; "" where this torch does not tell."""
    if not hasattr(properties, "pci_bus_id"):
        return ""
    return "%04x:%02x:%02x.0" % (properties.pci_domain_id, properties.pci_bus_id, properties.pci_device_id)


def identity(torch: Torch, device: Device) -> str:
    """The same for two ranks that were given one GPU; "" on the CPU, or where this torch does not tell."""
    if device.type != "cuda":
        return ""
    properties = torch.cuda.get_device_properties(device)
    return str(getattr(properties, "uuid", "")) or _bus_id(properties)


def half_type(torch: Torch, device: Device) -> str:
    """The 16-bit type that this GPU computes in: bf16 from Ampere (compute capability 8.0) on."""
    if device.type == "cuda" and torch.cuda.get_device_properties(device).major < 8:
        return "fp16"
    return "bf16"
