"""The target interpreter's torch: read from its files, then by importing it there (raw)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Torch(Section, frozen=True, kw_only=True):
    """torch of the environment under examination, never gpudoctor's own."""

    installed: Fact[bool] = NOT_PROVIDED
    path: Fact[str] = NOT_PROVIDED
    version: Fact[str] = NOT_PROVIDED  # "2.9.1+cu128"
    cuda_version: Fact[str] = NOT_PROVIDED  # "12.8"; absent not_applicable for a CPU build
    hip_version: Fact[str] = NOT_PROVIDED
    cuda_build: Fact[bool] = NOT_PROVIDED  # false: a CPU (or ROCm) build
    nccl_pin: Fact[str] = NOT_PROVIDED  # version of the NCCL wheel that torch's metadata asks for
    nccl_pin_distribution: Fact[str] = NOT_PROVIDED  # nvidia-nccl-cu12
    imported: Fact[bool] = NOT_PROVIDED  # the import was tried and worked
    import_error: Fact[str] = NOT_PROVIDED  # last line of the traceback; "" where it worked
    import_error_type: Fact[str] = NOT_PROVIDED
    arch_list: Fact[tuple[str, ...]] = NOT_PROVIDED  # sm_80, sm_90, compute_90 ...
    nccl_linked_version: Fact[str] = NOT_PROVIDED  # torch.cuda.nccl.version()
    nccl_mapped_path: Fact[str] = NOT_PROVIDED  # the libnccl in /proc/self/maps after the import
    cuda_available: Fact[bool] = NOT_PROVIDED
    cuda_error: Fact[str] = NOT_PROVIDED  # what torch.cuda said when it was not available
    device_count: Fact[int] = NOT_PROVIDED  # as torch sees it, with the workload's environment
    cuda_initialized: Fact[bool] = NOT_PROVIDED  # by the import itself: what sets variables later comes too late
    visible_devices: Fact[str] = NOT_PROVIDED  # CUDA_VISIBLE_DEVICES after the import, as Python code sees it
    gloo_available: Fact[bool] = NOT_PROVIDED
    nccl_available: Fact[bool] = NOT_PROVIDED
