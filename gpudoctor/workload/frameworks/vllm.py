"""vLLM: `vllm serve`, the older API server modules, and its benchmark scripts."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="vllm",
    programs=("vllm",),
    modules=("vllm.entrypoints.",),
    scripts=("benchmark_throughput.py", "benchmark_latency.py"),
    images=("vllm/vllm-openai", "vllm-openai", "rocm/vllm", "nvcr.io/nvidia/vllm"),
    subcommands=("serve", "bench", "throughput", "latency", "run-batch"),
    options=(
        Option("model", ("--model",)),
        Option("tp", ("--tensor-parallel-size", "-tp"), "count"),
        Option("pp", ("--pipeline-parallel-size", "-pp"), "count"),
        Option("dp", ("--data-parallel-size", "-dp"), "count"),
        Option("dp_local", ("--data-parallel-size-local", "-dpl"), "int"),
        Option("ep", ("--enable-expert-parallel", "-ep"), "flag"),
        Option("ep", ("--no-enable-expert-parallel",), "flag_off"),
        Option("nodes", ("--nnodes", "-n"), "count"),
        Option("dtype", ("--dtype",), "dtype"),
        Option("quantization", ("--quantization", "-q")),
        Option("kv_cache_dtype", ("--kv-cache-dtype",)),
        Option("max_model_len", ("--max-model-len",), "tokens"),
        Option("max_num_seqs", ("--max-num-seqs",), "count"),
        Option("gpu_memory_utilization", ("--gpu-memory-utilization",), "float"),
        Option("cpu_offload_gib", ("--cpu-offload-gb",), "float"),
        Option("custom_allreduce_disabled", ("--disable-custom-all-reduce",), "flag"),
        Option("custom_allreduce_disabled", ("--no-disable-custom-all-reduce",), "flag_off"),
        Option("enforce_eager", ("--enforce-eager",), "flag"),
        Option("enforce_eager", ("--no-enforce-eager",), "flag_off"),
        Option("executor", ("--distributed-executor-backend",)),
        Option("executor_ray", ("--worker-use-ray", "--engine-use-ray"), "flag"),
        Option("master_addr", ("--master-addr",)),
        Option("master_port", ("--master-port",), "int"),
    ),
    # Listed so that beginnings such as --max-num stay ambiguous, as they are for vLLM's own parser.
    valued="--tokenizer --tokenizer-mode --tokenizer-revision --model-impl --model-loader-extra-config --host --port "
    "--api-key --served-model-name --chat-template --revision --code-revision --load-format --download-dir --seed "
    "--config --config-format --max-num-batched-tokens --max-num-partial-prefills --max-seq-len-to-capture "
    "--max-logprobs --max-loras --max-lora-rank --block-size --swap-space --gpu-memory-fraction --root-path "
    "--uvicorn-log-level --data-parallel-rank -dpr --data-parallel-start-rank -dpr --data-parallel-address -dpa "
    "--data-parallel-rpc-port -dpp --data-parallel-backend -dpb --node-rank -r --decode-context-parallel-size -dcp "
    "--prefill-context-parallel-size -pcp --quantization-param-path --kv-cache-memory-bytes --kv-transfer-config "
    "--tool-call-parser --reasoning-parser --speculative-config --speculative-model --rope-scaling --rope-theta "
    "--hf-config-path --hf-overrides --limit-mm-per-prompt --compilation-config -O -cc --num-gpu-blocks-override "
    "--num-lookahead-slots --scheduling-policy --guided-decoding-backend --response-role --lora-modules "
    "--allowed-origins --max-parallel-loading-workers --num-scheduler-steps --generation-config --task --runner "
    "--input-len --output-len --num-prompts --dataset --dataset-name --dataset-path --backend --batch-size -i -o "
    "--expert-placement-strategy --all2all-backend --attention-backend --mm-encoder-tp-mode --gdn-prefill-backend",
    flags="--trust-remote-code --enable-prefix-caching --no-enable-prefix-caching --enable-chunked-prefill "
    "--no-enable-chunked-prefill --disable-log-requests --disable-log-stats --enable-log-requests --enable-lora "
    "--enable-auto-tool-choice --enable-reasoning --enable-sleep-mode --enable-eplb --async-scheduling "
    "--no-async-scheduling --disable-sliding-window --ray-workers-use-nsight --skip-tokenizer-init "
    "--disable-frontend-multiprocessing --use-v2-block-manager --language-model-only --headless -h --help "
    "--return-tokens-as-token-ids --data-parallel-hybrid-lb --data-parallel-external-lb --enable-dbo "
    "--calculate-kv-scales --enable-prompt-embeds --disable-cascade-attn --disable-fastapi-docs",
    abbreviations=True,
    positional="model",
    defaults=(("tp", 1), ("pp", 1), ("dp", 1)),
)

# They talk to a server that runs already: none of its options is theirs.
_CLIENT = Spec(
    name="vllm client",
    role="script",
    programs=("vllm bench serve", "vllm chat", "vllm complete"),
)

SPECS = (SPEC, _CLIENT)
