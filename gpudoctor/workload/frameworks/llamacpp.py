"""llama.cpp. `-sm layer`, its default, gives each GPU whole layers; only row and tensor split one layer over GPUs."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="llamacpp",
    native=True,
    programs=(
        "llama-server",
        "llama-cli",
        "llama-bench",
        "llama-perplexity",
        "llama-run",
        "llama-batched-bench",
        "llama-simple",
        "llama-mtmd-cli",
        "llama-embedding",
        "llama-completion",
    ),
    modules=("llama_cpp.server",),
    images=("ggml-org/llama.cpp", "ggerganov/llama.cpp"),
    options=(
        Option("model", ("-m", "--model")),
        Option("hf_model", ("-hf", "--hf-repo", "-hfr")),
        Option("split_mode", ("-sm", "--split-mode")),
        Option("tensor_split", ("-ts", "--tensor-split")),
        Option("device_names", ("-dev", "--device")),
        Option("max_model_len", ("-c", "--ctx-size", "--n-ctx"), "tokens"),
        Option("max_num_seqs", ("-np", "--parallel"), "int"),
        Option("kv_cache_dtype", ("-ctk", "--cache-type-k")),
        Option("gpu_layers", ("-ngl", "--n-gpu-layers", "--gpu-layers")),
    ),
    valued="-mg --main-gpu -b --batch-size -ub --ubatch-size -t --threads -n --predict -p --prompt -f --file --host "
    "--port -ctv --cache-type-v -a --alias -fa --flash-attn -md --model-draft -ngld --rope-scaling --chat-template "
    "-ot --override-tensor -ncmoe --n-cpu-moe --temp --top-k --top-p --min-p -s --seed --numa --mmproj --api-key",
    flags="--no-mmap --mlock -cnv --conversation --metrics --slots --jinja --verbose -v --embedding --no-warmup "
    "--cont-batching -cb --no-kv-offload -nkvo --cpu-moe -h --help",
)
