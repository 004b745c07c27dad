"""MPI launchers and Slurm's srun: they say how many processes there are, and what follows says what they run."""

from gpudoctor.workload.spec import Option, Spec

_MPIRUN = Spec(
    name="mpirun",
    role="wrapper",
    programs=("mpirun", "mpiexec", "orterun", "mpirun.openmpi", "mpiexec.hydra"),
    options=(
        Option("processes", ("-np", "-n", "--np", "-c"), "count"),
        Option("processes_per_node", ("-N", "-npernode", "--npernode", "-ppn"), "count"),
        Option("hosts", ("-H", "-host", "--host", "-hosts")),
        Option("hostfile", ("-hostfile", "--hostfile", "-machinefile", "--machinefile", "-f")),
        Option("environment", ("-x",), "assign"),
    ),
    valued="--bind-to -bind-to --map-by -map-by --rank-by -wdir --wdir -wd --report-bindings-to --tag --prefix "
    "--timeout --rankfile -rf --pernode-level",
    flags="--allow-run-as-root --oversubscribe -oversubscribe -pernode --pernode --tag-output -q -v --verbose "
    "--display-map --report-bindings --merge-stderr-to-stdout",
    paired="--mca -mca --gmca -gmca -genv -env",
    follow="command",
)

_SRUN = Spec(
    name="srun",
    role="wrapper",
    programs=("srun",),
    options=(
        Option("processes", ("-n", "--ntasks"), "count"),
        Option("nodes", ("-N", "--nodes"), "count"),
        Option("processes_per_node", ("--ntasks-per-node",), "count"),
        Option("slurm_gpus", ("--gpus-per-node",)),
    ),
    valued="-p --partition -A --account -t --time -c --cpus-per-task --mem --gres -G --gpus --gpus-per-task -J "
    "--job-name -w --nodelist -x --exclude -o --output -e --error --export --mpi --container-image --container-mounts "
    "--container-workdir --container-env --container-name --cpu-bind --gpu-bind -D --chdir --qos -C --constraint "
    "--jobid --kill-on-bad-exit --distribution -m --hint",
    flags="--exclusive --pty -l --label -u --unbuffered -v --verbose --overlap --no-container-mount-home -s -O",
    unknown="flag",
    clusters=True,
    follow="command",
)

SPECS = (_MPIRUN, _SRUN)
