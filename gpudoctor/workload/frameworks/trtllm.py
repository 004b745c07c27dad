"""TensorRT-LLM: its server and benchmark, and the wrapper that starts them under MPI."""

from gpudoctor.workload.spec import Option, Spec

_SERVE = Spec(
    name="trtllm",
    programs=("trtllm-serve", "trtllm-bench", "trtllm-eval"),
    modules=("tensorrt_llm.commands.",),
    subcommands=("serve", "throughput", "latency"),
    options=(
        Option("model", ("--model", "-m")),
        Option("tp", ("--tp_size", "--tp"), "count"),
        Option("pp", ("--pp_size", "--pp"), "count"),
        Option("ep", ("--ep_size", "--ep"), "many"),
        Option("gpus_per_node", ("--gpus_per_node",), "count"),
        Option("max_model_len", ("--max_seq_len",), "tokens"),
        Option("max_num_seqs", ("--max_batch_size",), "count"),
        Option(
            "gpu_memory_utilization", ("--kv_cache_free_gpu_memory_fraction", "--free_gpu_memory_fraction"), "float"
        ),
        Option("kv_cache_dtype", ("--kv_cache_dtype",)),
    ),
    valued="--tokenizer --host --port --backend --max_num_tokens --max_beam_width --cluster_size "
    "--num_postprocess_workers --extra_llm_api_options --config --reasoning_parser --tool_parser "
    "--metadata_server_config_file --server_role --log_level --dataset --engine_dir --num_requests "
    "--concurrency --workspace --model_path",
    flags="--trust_remote_code --fail_fast_on_attention_window_too_large --streaming -h --help",
    positional="model",
    defaults=(("tp", 1), ("pp", 1)),
)

_MPI = Spec(name="trtllm-llmapi-launch", role="wrapper", programs=("trtllm-llmapi-launch",), follow="command")

SPECS = (_SERVE, _MPI)
