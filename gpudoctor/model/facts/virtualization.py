"""Container, virtual machine, WSL (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Virtualization(Section, frozen=True, kw_only=True):
    """What stands between this process and the metal."""

    container: Fact[str] = NOT_PROVIDED  # none | docker | podman | kubernetes | lxc | apptainer | other
    vm: Fact[str] = NOT_PROVIDED  # none | kvm | vmware | hyperv | xen | aws | google | azure | other
    wsl: Fact[int] = NOT_PROVIDED  # 0, 1 or 2
    host_pid_namespace: Fact[bool] = NOT_PROVIDED
    host_ipc_namespace: Fact[bool] = NOT_PROVIDED
    nvidia_runtime: Fact[bool] = NOT_PROVIDED  # the toolkit's mounts are there; many images set the variable below
    nvidia_visible_devices: Fact[str] = NOT_PROVIDED
