"""PyTorch's launcher: `torchrun`, `python -m torch.distributed.run` and the older `torch.distributed.launch`."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="torchrun",
    role="launcher",
    programs=("torchrun", "torch_distributed_run"),
    modules=("torch.distributed.run", "torch.distributed.launch"),
    options=(
        Option("processes_per_node", ("--nproc-per-node",), "count", dynamic=("gpu", "auto", "cpu", "xpu")),
        Option("nodes", ("--nnodes",), "range"),
        Option("endpoint", ("--rdzv-endpoint",), "endpoint"),
        Option("master_addr", ("--master-addr",)),
        Option("master_port", ("--master-port",), "int"),
    ),
    valued="--node-rank --rdzv-backend --rdzv-id --rdzv-conf --max-restarts --monitor-interval --start-method --role "
    "--event-log-handler --log-dir -r --redirects -t --tee --local-ranks-filter --local-addr --logs-specs "
    "--numa-binding --signals-to-handle --local-rank --log-line-prefix-template --duplicate-stdout-filters",
    flags="--standalone -m --module --no-python --run-path --use-env --virtual-local-rank --shutdown-timeout -h --help",
    abbreviations=True,
    follow="script",
    defaults=(("processes_per_node", 1), ("nodes", 1)),
)
