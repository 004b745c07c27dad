"""Text Generation Inference. Its launcher reads every option from the environment as well."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="tgi",
    native=True,
    programs=("text-generation-launcher",),
    images=("huggingface/text-generation-inference", "text-generation-inference"),
    options=(
        Option("model", ("--model-id",), env="MODEL_ID"),
        Option("tp", ("--num-shard",), "count", env="NUM_SHARD"),
        Option("sharded", ("--sharded",), "boolean", env="SHARDED"),
        Option("quantization", ("--quantize",), env="QUANTIZE"),
        Option("dtype", ("--dtype",), "dtype", env="DTYPE"),
        Option("kv_cache_dtype", ("--kv-cache-dtype",), env="KV_CACHE_DTYPE"),
        Option("max_model_len", ("--max-total-tokens",), "tokens", env="MAX_TOTAL_TOKENS"),
        Option("max_num_seqs", ("--max-batch-size",), "count", env="MAX_BATCH_SIZE"),
        Option("gpu_memory_utilization", ("--cuda-memory-fraction",), "float", env="CUDA_MEMORY_FRACTION"),
        Option("master_addr", ("--master-addr",), env="MASTER_ADDR"),
        Option("master_port", ("--master-port",), "int", env="MASTER_PORT"),
    ),
    flags="--trust-remote-code --json-output --disable-custom-kernels --disable-grammar-support "
    "--enable-prefill-logprobs -e --env -h --help",
)
