"""SGLang: the server and its benchmark modules."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="sglang",
    programs=("sglang",),
    modules=(
        "sglang.launch_server",
        "sglang.bench_one_batch",
        "sglang.bench_latency",
        "sglang.bench_offline_throughput",
        "sglang_router.launch_server",
        "sglang.srt.server",
    ),
    scripts=("launch_server.py",),
    images=("lmsysorg/sglang", "sglang"),
    subcommands=("serve",),
    options=(
        Option("model", ("--model-path", "--model")),
        Option("tp", ("--tensor-parallel-size", "--tp-size", "--tp"), "count"),
        Option("pp", ("--pipeline-parallel-size", "--pp-size"), "count"),
        Option("dp", ("--data-parallel-size", "--dp-size", "--dp"), "count"),
        Option("dp_attention", ("--enable-dp-attention",), "flag"),
        Option("ep", ("--expert-parallel-size", "--ep-size", "--ep"), "many"),
        Option("ep", ("--enable-ep-moe", "--enable-deepep-moe"), "flag"),
        Option("nodes", ("--nnodes",), "count"),
        Option("dtype", ("--dtype",), "dtype"),
        Option("quantization", ("--quantization",)),
        Option("kv_cache_dtype", ("--kv-cache-dtype",)),
        Option("max_model_len", ("--context-length",), "tokens"),
        Option("max_num_seqs", ("--max-running-requests",), "count"),
        Option("gpu_memory_utilization", ("--mem-fraction-static",), "float"),
        Option("cpu_offload_gib", ("--cpu-offload-gb",), "float"),
        Option("custom_allreduce_disabled", ("--disable-custom-all-reduce",), "flag"),
        Option("enforce_eager", ("--disable-cuda-graph",), "flag"),
        Option("endpoint", ("--dist-init-addr", "--nccl-init-addr"), "endpoint"),
    ),
    valued="--tokenizer-path --tokenizer-mode --host --port --load-format --revision --served-model-name "
    "--chat-template --node-rank --nccl-port --base-gpu-id --gpu-id-step --chunked-prefill-size --max-total-tokens "
    "--max-prefill-tokens --schedule-policy --schedule-conservativeness --stream-interval --random-seed --log-level "
    "--api-key --attention-backend --sampling-backend --cuda-graph-max-bs --cuda-graph-bs --dist-timeout "
    "--load-balance-method --speculative-algorithm --speculative-draft-model-path --speculative-num-steps "
    "--speculative-eagle-topk --speculative-num-draft-tokens --mem-frac --disaggregation-mode --moe-a2a-backend "
    "--deepep-mode --tool-call-parser --reasoning-parser --page-size --json-model-override-args --lora-paths "
    "--batch-size --batch --input-len --output-len --run-name --grammar-backend --watchdog-timeout",
    flags="--trust-remote-code --skip-tokenizer-init --enable-metrics --disable-radix-cache --enable-p2p-check "
    "--disable-cuda-graph-padding --enable-torch-compile --enable-mixed-chunk --disable-overlap-schedule "
    "--enable-mla --enable-flashinfer-mla --enable-nccl-nvls --is-embedding --log-requests --enable-multimodal "
    "--enable-hierarchical-cache --enable-memory-saver --enable-dp-lm-head --enable-eplb --enable-symm-mem -h --help",
    abbreviations=True,
    positional="model",
    defaults=(("tp", 1), ("pp", 1), ("dp", 1)),
)
