"""Ollama, which is configured by the environment and splits by layers."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="ollama",
    native=True,
    programs=("ollama",),
    images=("ollama/ollama",),
    subcommands=("serve", "run"),
    options=(
        Option("max_model_len", (), "tokens", env="OLLAMA_CONTEXT_LENGTH"),
        Option("max_num_seqs", (), "count", env="OLLAMA_NUM_PARALLEL"),
        Option("kv_cache_dtype", (), env="OLLAMA_KV_CACHE_TYPE"),
    ),
    valued="--keepalive --format",
    flags="--verbose --insecure --nowordwrap -h --help",
    positional="model",
)
