"""The kernel module and its device nodes, from /proc, /sys and /dev (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Driver(Section, frozen=True, kw_only=True):
    """The NVIDIA kernel driver as the kernel shows it."""

    module_loaded: Fact[bool] = NOT_PROVIDED
    module_version: Fact[str] = NOT_PROVIDED  # of the loaded kernel module
    module_open: Fact[bool] = NOT_PROVIDED  # open kernel modules
    module_patched_p2p: Fact[bool] = NOT_PROVIDED  # a build that forces P2P on GeForce
    library_versions: Fact[tuple[str, ...]] = NOT_PROVIDED  # of every libnvidia-ml.so.X.Y.Z in the usual folders
    nouveau_loaded: Fact[bool] = NOT_PROVIDED
    uvm_loaded: Fact[bool] = NOT_PROVIDED
    peermem_loaded: Fact[bool] = NOT_PROVIDED
    device_nodes: Fact[tuple[str, ...]] = NOT_PROVIDED  # /dev/nvidia0 ...
    control_nodes: Fact[tuple[str, ...]] = NOT_PROVIDED  # /dev/nvidiactl, /dev/nvidia-uvm ... that exist
    nodes_denied: Fact[tuple[str, ...]] = NOT_PROVIDED  # exist, and this user may not open them
    registry_dwords: Fact[str] = NOT_PROVIDED  # NVreg_RegistryDwords of the loaded module
    fabric_manager: Fact[str] = NOT_PROVIDED  # running | not_running | not_installed
    fabric_manager_version: Fact[str] = NOT_PROVIDED
    persistenced: Fact[str] = NOT_PROVIDED
