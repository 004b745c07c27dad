"""Container commands. What follows the image are the arguments of its entrypoint, or a command."""

from gpudoctor.workload.spec import Option, Spec

_OPTIONS = (
    Option("container_gpus", ("--gpus",)),
    Option("container_shm_bytes", ("--shm-size",), "size"),
    Option("container_ipc", ("--ipc",)),
    Option("container_runtime", ("--runtime",)),
    Option("container_device", ("--device",)),
    Option("container_privileged", ("--privileged",), "flag"),
    Option("container_hooks", ("--hooks-dir",)),
    Option("container_entrypoint", ("--entrypoint",)),
    Option("environment", ("-e", "--env"), "assign"),
)
_VALUED = (
    "-v --volume -p --publish -w --workdir --name --network --net -u --user -h --hostname --ulimit --mount -l --label "
    "--memory -m --memory-swap --cpus --cpuset-cpus --cpuset-mems --cap-add --cap-drop --security-opt --restart "
    "--env-file --add-host --dns --pid --platform --pull --log-driver --log-opt --tmpfs --group-add "
    "--device-cgroup-rule --userns --uts --health-cmd --stop-timeout --cgroupns --annotation "
    "--detach-keys --index --timeout"
)
_FLAGS = (
    "-d --detach -i --interactive -t --tty -it -ti -itd -dit -idt -tid --rm --init -P --publish-all "
    "--read-only --no-healthcheck -q --quiet --replace --oom-kill-disable"
)


def _tool(program: str) -> tuple[Spec, Spec]:
    run = Spec(
        name=f"{program} run",
        role="container",
        programs=(f"{program} run", f"{program} container run"),
        options=_OPTIONS,
        valued=_VALUED,
        flags=_FLAGS,
        clusters=True,
        follow="image",
    )
    execute = Spec(
        name=f"{program} exec",
        role="container",
        programs=(f"{program} exec", f"{program} container exec"),
        options=(Option("environment", ("-e", "--env"), "assign"),),
        valued=_VALUED,
        flags=_FLAGS,
        clusters=True,
        follow="command",
        skip=1,
        environment="elsewhere",
    )
    return run, execute


SPECS = (*_tool("docker"), *_tool("podman"), *_tool("nerdctl"))
