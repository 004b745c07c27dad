"""DeepSpeed's launcher. Without a number it starts one process for each GPU it sees."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="deepspeed",
    role="launcher",
    programs=("deepspeed", "deepspeed.pt"),
    modules=("deepspeed.launcher.runner",),
    options=(
        Option("processes_per_node", ("--num_gpus", "--num_accelerators"), "count", dynamic=("-1",)),
        Option("nodes", ("--num_nodes",), "count", dynamic=("-1",)),
        Option("include", ("--include", "-i")),
        Option("exclude", ("--exclude", "-e")),
        Option("hostfile", ("--hostfile", "-H")),
        Option("master_addr", ("--master_addr",)),
        Option("master_port", ("--master_port",), "int"),
    ),
    valued="--min_elastic_nodes --max_elastic_nodes --launcher --launcher_args --autotuning --node_rank --ssh_port "
    "--save_pid --venv_script --bind_core_list",
    flags="--module --no_python --no_local_rank --no_ssh --no_ssh_check --force_multi --elastic_training "
    "--enable_each_rank_log --bind_cores_to_rank -h --help",
    abbreviations=True,
    follow="script",
)
