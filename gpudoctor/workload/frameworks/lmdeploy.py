"""LMDeploy's API server."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="lmdeploy",
    programs=("lmdeploy",),
    images=("openmmlab/lmdeploy",),
    subcommands=("serve", "api_server", "chat"),
    options=(
        Option("tp", ("--tp",), "count"),
        Option("dp", ("--dp",), "count"),
        Option("ep", ("--ep",), "many"),
        Option("nodes", ("--nnodes",), "count"),
        Option("dtype", ("--dtype",), "dtype"),
        Option("max_model_len", ("--session-len",), "tokens"),
        Option("max_num_seqs", ("--max-batch-size",), "count"),
        Option("gpu_memory_utilization", ("--cache-max-entry-count",), "float"),
        Option("enforce_eager", ("--eager-mode",), "flag"),
    ),
    valued="--server-name --server-port --backend --model-name --model-format --quant-policy --device --node-rank "
    "--chat-template --api-keys --log-level --tool-call-parser --reasoning-parser --revision --rope-scaling-factor",
    flags="--trust-remote-code --ssl --enable-prefix-caching --allow-terminate-by-client -h --help",
    positional="model",
    defaults=(("tp", 1),),
)
