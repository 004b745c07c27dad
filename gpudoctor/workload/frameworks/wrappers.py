"""Programs that only start another one: what they are called and which of their options take a value."""

from typing import Literal

from gpudoctor.workload.spec import Option, Spec


def _wrapper(
    *programs: str,
    valued: str = "",
    flags: str = "",
    skip: int = 0,
    barrier: Literal["", "assign", "env"] = "",
    chooses_python: bool = False,
    takes_line: bool = False,
) -> Spec:
    return Spec(
        name=programs[0],
        role="wrapper",
        programs=programs,
        valued=valued,
        flags=flags,
        skip=skip,
        unknown="flag",
        follow="command",
        barrier=barrier,
        chooses_python=chooses_python,
        takes_line=takes_line,
        environment="elsewhere"
        if barrier
        else "inherited",  # variables do not get through: another machine or container
    )


_ENV = Spec(
    name="env",
    role="wrapper",
    programs=("env",),
    options=(
        Option("unset", ("-u", "--unset")),
        Option("clean_environment", ("-i", "--ignore-environment", "-"), "flag"),
    ),
    valued="-C --chdir",
    unknown="flag",
    clusters=True,
    follow="command",
)

_SUDO = Spec(
    name="sudo",
    role="wrapper",
    programs=("sudo", "doas"),
    options=(Option("keeps_environment", ("-E", "--preserve-env"), "optional"),),
    valued="-u --user -g --group -C --close-from -D --chdir -h --host -p --prompt -R --chroot -T --command-timeout",
    flags="-H -n -S -b -k -i",
    unknown="flag",
    follow="command",
    barrier="assign",
    environment="filtered",
)

SPECS = (
    _ENV,
    _SUDO,
    _wrapper("nohup"),
    _wrapper("time", valued="-f --format -o --output"),
    _wrapper("nice", valued="-n --adjustment"),
    _wrapper("ionice", valued="-c --class -n --classdata"),
    _wrapper("chrt", skip=1),
    _wrapper("stdbuf", valued="-i --input -o --output -e --error"),
    _wrapper("unbuffer"),
    _wrapper("setsid"),
    _wrapper("exec", valued="-a"),
    _wrapper("command"),
    _wrapper("timeout", valued="-s --signal -k --kill-after", skip=1),
    _wrapper("taskset", valued="", flags="-c --cpu-list -a", skip=1),
    _wrapper(
        "numactl",
        valued="-N --cpunodebind -m --membind -C --physcpubind -i --interleave -p --preferred -S",
    ),
    _wrapper(
        "uv run",
        valued="--with --with-editable --with-requirements --extra --group --python -p --directory "
        "--project --env-file --index --package",
        flags="--no-sync --frozen --locked --isolated --active",
        chooses_python=True,
    ),
    _wrapper("uvx", valued="--from --with --python -p --index", chooses_python=True),
    _wrapper("poetry run", chooses_python=True),
    _wrapper("pdm run", valued="-p --project", chooses_python=True),
    _wrapper("hatch run", chooses_python=True),
    _wrapper("pipenv run", chooses_python=True),
    _wrapper("pixi run", valued="-e --environment --manifest-path", chooses_python=True),
    _wrapper(
        "conda run",
        "mamba run",
        "micromamba run",
        valued="-n --name -p --prefix --cwd",
        flags="--no-capture-output --live-stream -v",
        chooses_python=True,
    ),
    _wrapper("nsys profile", valued="-o --output -t --trace -d --duration -y --delay -c --capture-range -s --sample"),
    _wrapper("ncu", valued="-o --export -k --kernel-name -c --launch-count"),
    _wrapper("compute-sanitizer", "cuda-memcheck", valued="--tool --log-file"),
    _wrapper("strace", valued="-o -e -p -s"),
    _wrapper("gdb", flags="--args"),
    _wrapper("py-spy record", valued="-o --output -d --duration -r --rate -f --format"),
    _wrapper(
        "ray job submit",
        valued="--address --working-dir --runtime-env --runtime-env-json --submission-id",
        barrier="env",
        chooses_python=True,
    ),
    _wrapper(
        "kubectl exec",
        valued="-n --namespace -c --container",
        flags="-i -t -it",
        skip=1,
        barrier="env",
        chooses_python=True,
    ),
    _wrapper(
        "ssh",
        valued="-p -i -l -o -J -F -L -R -D -b -c -m",
        skip=1,
        barrier="assign",
        chooses_python=True,
        takes_line=True,
    ),
    _wrapper(
        "apptainer exec",
        "singularity exec",
        "apptainer run",
        "singularity run",
        valued="-B --bind --env --env-file -H --home --pwd -W --overlay -S --scratch",
        skip=1,
        chooses_python=True,
    ),
)
