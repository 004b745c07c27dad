"""Every libnccl in reach, and which one wins."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class NcclLibrary(Item, frozen=True, kw_only=True):
    """A libnccl file."""

    path: str
    version: Fact[str] = NOT_PROVIDED  # "2.27.5", read from the file
    cuda: Fact[str] = NOT_PROVIDED  # the CUDA it was built with
    found_by: str = ""  # wheel | ld_library_path | ld_preload | variable | system | conda | vllm_config | nccl_home
    owner: str = ""  # distribution or variable that brings it


class Nccl(Section, frozen=True, kw_only=True):
    """Raw: libraries and wheels. The winner is what the dynamic loader would take for the target's torch."""

    libraries: Fact[tuple[NcclLibrary, ...]] = NOT_PROVIDED
    wheels: Fact[tuple[str, ...]] = NOT_PROVIDED  # nvidia-nccl-cu12==2.27.5, one for each installed
    linkage: Fact[str] = NOT_PROVIDED  # of the target's torch: dynamic | static | none (a build without CUDA)
    winner_path: Fact[str] = NOT_PROVIDED  # links resolved, as /proc/PID/maps would name it
    winner_version: Fact[str] = NOT_PROVIDED
    winner_found_by: Fact[str] = NOT_PROVIDED  # as found_by; by which way the loader comes to it
    winner_owner: Fact[str] = NOT_PROVIDED
    config_files: Fact[tuple[str, ...]] = NOT_PROVIDED  # /etc/nccl.conf, ~/.nccl.conf, NCCL_CONF_FILE that exist
    net_plugins: Fact[tuple[str, ...]] = NOT_PROVIDED  # libnccl-net*.so in reach of the loader
