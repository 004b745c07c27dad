"""NVIDIA's nccl-tests: one process drives `-g` GPUs in each of `-t` threads."""

from gpudoctor.workload.spec import Option, Spec

SPEC = Spec(
    name="nccl-tests",
    native=True,
    programs=tuple(
        f"{name}_perf{suffix}"
        for name in ("all_reduce", "all_gather", "broadcast", "reduce_scatter", "reduce", "alltoall", "sendrecv")
        for suffix in ("", "_mpi")
    ),
    options=(
        Option("gpus_per_thread", ("-g", "--ngpus"), "count"),
        Option("threads", ("-t", "--nthreads"), "count"),
    ),
    valued="-b --minbytes -e --maxbytes -i --stepbytes -f --stepfactor -n --iters -w --warmup_iters -m --agg_iters "
    "-o --op -d --datatype -r --root -c --check -z --blocking -G --cudagraph -p --parallel_init -a --average "
    "-C --report_cputime -R --local_register -T --timeout -N",
    clusters=True,
)
