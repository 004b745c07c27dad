"""GPUs as this machine has them: derived from NVML, the CUDA driver API, /sys and nvidia-smi."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class GpuProcess(Item, frozen=True, kw_only=True):
    """A process that holds memory on one GPU. pid is the host's, which a container may not see."""

    pid: int
    kind: str = "compute"  # compute | graphics | mps
    used_bytes: Fact[int] = NOT_PROVIDED
    name: Fact[str] = NOT_PROVIDED
    owner: Fact[str] = NOT_PROVIDED  # self | other | root: never a user name
    visible: Fact[bool] = NOT_PROVIDED  # false: not in our /proc, so another container or pid namespace
    state: Fact[str] = NOT_PROVIDED  # R, S, D, Z ... of /proc/PID/stat; "gone" where it ended but memory stays
    ancestor_of_us: Fact[bool] = NOT_PROVIDED


class Gpu(Item, frozen=True, kw_only=True):
    """One physical GPU, numbered as NVML and nvidia-smi number it (PCI bus order)."""

    index: int
    access_error: Fact[str] = NOT_PROVIDED  # "" where NVML opens it; else the NVML error name, e.g. GPU_IS_LOST
    name: Fact[str] = NOT_PROVIDED
    uuid: Fact[str] = NOT_PROVIDED
    pci_bus_id: Fact[str] = NOT_PROVIDED  # 0000:17:00.0, lower case, as in /sys
    pci_device_id: Fact[str] = NOT_PROVIDED  # four hex digits of the device, e.g. 2684
    minor_number: Fact[int] = NOT_PROVIDED  # N of /dev/nvidiaN
    compute_capability: Fact[str] = NOT_PROVIDED  # "8.9"
    cuda_index: Fact[int] = NOT_PROVIDED  # position in CUDA's own order, without CUDA_VISIBLE_DEVICES
    numa_node: Fact[int] = NOT_PROVIDED
    virtualization_mode: Fact[str] = NOT_PROVIDED  # none | passthrough | vgpu | host_vgpu | host_vsga
    gsp_firmware: Fact[str] = NOT_PROVIDED
    display_active: Fact[bool] = NOT_PROVIDED

    memory_total_bytes: Fact[int] = NOT_PROVIDED
    memory_free_bytes: Fact[int] = NOT_PROVIDED
    memory_used_bytes: Fact[int] = NOT_PROVIDED  # without the driver's reserve where NVML tells it apart
    memory_reserved_bytes: Fact[int] = NOT_PROVIDED
    processes: Fact[tuple[GpuProcess, ...]] = NOT_PROVIDED
    utilization_percent: Fact[int] = NOT_PROVIDED

    bar1_total_bytes: Fact[int] = NOT_PROVIDED
    pcie_generation: Fact[int] = NOT_PROVIDED  # 1 at idle on many cards: only judge under load
    pcie_generation_max: Fact[int] = NOT_PROVIDED  # of card and slot together
    pcie_generation_gpu_max: Fact[int] = NOT_PROVIDED
    pcie_width: Fact[int] = NOT_PROVIDED
    pcie_width_max: Fact[int] = NOT_PROVIDED  # of card and slot together
    pcie_width_gpu_max: Fact[int] = NOT_PROVIDED  # of the card by the hardware table
    pcie_replays: Fact[int] = NOT_PROVIDED
    pcie_aer_fatal: Fact[int] = NOT_PROVIDED
    pcie_aer_correctable: Fact[int] = NOT_PROVIDED

    nvlinks_total: Fact[int] = NOT_PROVIDED  # 0: the card has no NVLink
    nvlinks_active: Fact[int] = NOT_PROVIDED
    nvlinks_expected: Fact[int] = NOT_PROVIDED  # active links of a healthy card of this model, by the hardware table
    nvlink_version: Fact[int] = NOT_PROVIDED
    nvlink_to_switch: Fact[bool] = NOT_PROVIDED
    nvlink_crc_errors: Fact[int] = NOT_PROVIDED
    fabric_state: Fact[str] = NOT_PROVIDED  # not_supported | not_started | in_progress | completed
    fabric_status: Fact[str] = NOT_PROVIDED  # OK, or the NVML error name; only meaningful when completed
    fabric_unhealthy: Fact[tuple[str, ...]] = NOT_PROVIDED  # names of set health-mask bits

    compute_mode: Fact[str] = NOT_PROVIDED  # default | exclusive_thread | prohibited | exclusive_process
    persistence: Fact[bool] = NOT_PROVIDED
    mig_enabled: Fact[bool] = NOT_PROVIDED
    mig_pending: Fact[bool] = NOT_PROVIDED
    mig_devices: Fact[int] = NOT_PROVIDED
    ecc_enabled: Fact[bool] = NOT_PROVIDED
    ecc_uncorrected_volatile: Fact[int] = NOT_PROVIDED
    ecc_uncorrected_aggregate: Fact[int] = NOT_PROVIDED
    ecc_corrected_volatile: Fact[int] = NOT_PROVIDED
    sram_ecc_threshold_exceeded: Fact[bool] = NOT_PROVIDED
    remap_pending: Fact[bool] = NOT_PROVIDED
    remap_failed: Fact[bool] = NOT_PROVIDED
    remapped_rows_uncorrected: Fact[int] = NOT_PROVIDED
    pages_retired: Fact[int] = NOT_PROVIDED
    pages_pending: Fact[bool] = NOT_PROVIDED
    recovery_action: Fact[str] = NOT_PROVIDED  # none reset reboot drain_p2p drain_and_reset recover_imex bus_reset
    temperature_c: Fact[int] = NOT_PROVIDED
    temperature_slowdown_c: Fact[int] = NOT_PROVIDED
    power_draw_mw: Fact[int] = NOT_PROVIDED
    power_limit_mw: Fact[int] = NOT_PROVIDED
    power_limit_default_mw: Fact[int] = NOT_PROVIDED
    clock_event_reasons: Fact[tuple[str, ...]] = NOT_PROVIDED  # gpu_idle, sw_power_cap, hw_slowdown, hw_thermal ...

    p2p_policy: Fact[str] = NOT_PROVIDED  # stock driver over PCIe, by the table: yes | no | bridge | vm_no
    geforce: Fact[bool] = NOT_PROVIDED


class Gpus(Section, frozen=True, kw_only=True):
    """The GPUs of the machine, every source joined."""

    count: Fact[int] = NOT_PROVIDED  # that the driver has
    driver_answers: Fact[bool] = NOT_PROVIDED  # false: asked, it counted nothing, so only the bus tells of GPUs
    pci_count: Fact[int] = NOT_PROVIDED  # NVIDIA display controllers on the bus
    device_nodes: Fact[int] = NOT_PROVIDED  # /dev/nvidia0 ... in reach
    visible_count: Fact[int] = NOT_PROVIDED  # that the workload's process would see
    devices: Fact[tuple[Gpu, ...]] = NOT_PROVIDED
    visible: Fact[tuple[Gpu, ...]] = NOT_PROVIDED  # in the order in which the process numbers them
    models: Fact[tuple[str, ...]] = NOT_PROVIDED  # distinct names among the visible ones
    foreign_processes: Fact[tuple[GpuProcess, ...]] = NOT_PROVIDED
