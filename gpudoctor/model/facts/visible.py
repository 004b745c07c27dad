"""What CUDA_VISIBLE_DEVICES (and its siblings) make of the GPUs (derived)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Visible(Section, frozen=True, kw_only=True):
    """The list, entry by entry. Indices are NVML's unless the name says cuda."""

    variable: Fact[str] = NOT_PROVIDED  # CUDA_VISIBLE_DEVICES, or NVIDIA_VISIBLE_DEVICES in a container
    raw: Fact[str] = NOT_PROVIDED  # absent not_applicable where it is not set
    set_by: Fact[str] = NOT_PROVIDED  # shell | launch_command
    count: Fact[int] = NOT_PROVIDED  # devices that CUDA accepts: it stops at the first bad entry
    entries: Fact[tuple[str, ...]] = NOT_PROVIDED
    devices: Fact[tuple[int, ...]] = NOT_PROVIDED  # NVML indices, in the process's order
    empty: Fact[bool] = NOT_PROVIDED  # set to "" or to only separators: no GPU at all
    negative: Fact[bool] = NOT_PROVIDED  # -1 somewhere: everything from there on is hidden
    first_bad: Fact[str] = NOT_PROVIDED  # the entry at which CUDA stops; absent not_applicable where all are good
    out_of_range: Fact[tuple[str, ...]] = NOT_PROVIDED
    duplicates: Fact[tuple[str, ...]] = NOT_PROVIDED
    malformed: Fact[tuple[str, ...]] = NOT_PROVIDED  # "0;1", "gpu0", "0.1": neither number nor UUID
    unknown_uuids: Fact[tuple[str, ...]] = NOT_PROVIDED
    uses_uuid: Fact[bool] = NOT_PROVIDED
    uses_mig: Fact[bool] = NOT_PROVIDED
    spaces: Fact[bool] = NOT_PROVIDED
    order_differs: Fact[bool] = NOT_PROVIDED  # CUDA's numbers name other cards than nvidia-smi's
    device_order: Fact[str] = NOT_PROVIDED  # FASTEST_FIRST | PCI_BUS_ID
