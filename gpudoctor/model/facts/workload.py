"""The run in question: from flags and from the launch command after `--` (derived from neither machine nor log)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Workload(Section, frozen=True, kw_only=True):
    """What the user wants to run. A flag that was not given is absent not_provided."""

    framework: Fact[str] = NOT_PROVIDED  # vllm sglang tgi trtllm exllamav2 llamacpp deepspeed torchrun accelerate ...
    command: Fact[str] = NOT_PROVIDED  # the launch command as given, shell-quoted
    model: Fact[str] = NOT_PROVIDED
    model_config: Fact[str] = NOT_PROVIDED  # config.json of a local model folder, as text, bounded
    tp: Fact[int] = NOT_PROVIDED
    pp: Fact[int] = NOT_PROVIDED
    dp: Fact[int] = NOT_PROVIDED
    ep: Fact[bool] = NOT_PROVIDED  # expert parallelism
    world_size: Fact[int] = NOT_PROVIDED  # tp x pp x dp, or processes x nodes of a launcher
    processes_per_node: Fact[int] = NOT_PROVIDED
    nodes: Fact[int] = NOT_PROVIDED
    gpus_needed: Fact[int] = NOT_PROVIDED  # on this node
    dtype: Fact[str] = NOT_PROVIDED
    quantization: Fact[str] = NOT_PROVIDED
    kv_cache_dtype: Fact[str] = NOT_PROVIDED
    max_model_len: Fact[int] = NOT_PROVIDED
    max_num_seqs: Fact[int] = NOT_PROVIDED
    gpu_memory_utilization: Fact[float] = NOT_PROVIDED  # vLLM's share of the whole GPU, or mem_fraction_static
    cpu_offload_gib: Fact[float] = NOT_PROVIDED
    custom_allreduce_disabled: Fact[bool] = NOT_PROVIDED
    enforce_eager: Fact[bool] = NOT_PROVIDED
    executor: Fact[str] = NOT_PROVIDED  # mp | ray | external
    devices: Fact[str] = NOT_PROVIDED  # a device list given as an option (docker --gpus, --include, --tensor-split)
    master_addr: Fact[str] = NOT_PROVIDED
    master_port: Fact[int] = NOT_PROVIDED
    interpreter: Fact[str] = NOT_PROVIDED  # python named by the command
    container: Fact[str] = NOT_PROVIDED  # image, where the command is docker run
    container_shm_bytes: Fact[int] = NOT_PROVIDED
    container_ipc: Fact[str] = NOT_PROVIDED  # host | private | ...
    container_gpus: Fact[str] = NOT_PROVIDED  # value of --gpus; absent not_applicable where not asked for
    container_gpu_count: Fact[int] = NOT_PROVIDED  # by --gpus, else NVIDIA_VISIBLE_DEVICES; absent for all of them
    container_gpu_way: Fact[str] = NOT_PROVIDED  # the option, other than --gpus, by which it may get GPUs: --privileged
    contradictions: Fact[tuple[str, ...]] = NOT_PROVIDED  # one sentence each
    fix_flags: Fact[dict[str, str]] = NOT_PROVIDED  # this framework's spelling of tp, pp, max_model_len ...
