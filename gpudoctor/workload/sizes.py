"""How many processes and GPUs the run needs, from what the command gives, and where the numbers contradict each other.

Besides the fields of `Workload` these intermediate ones are read: processes (of all nodes), dp_local, dp_attention,
gpus_per_node, gpus_per_thread, threads, include (DeepSpeed), gpu_split, tensor_parallel (ExLlamaV2), split_mode,
tensor_split, device_names (llama.cpp), sharded (TGI), world_size_option.
"""

from __future__ import annotations

import re
from math import ceil, prod

from gpudoctor.workload.collect import Collected, Given

_DEVICE_LIST = re.compile(r"device=([^\"']+)")


def settle(found: Collected) -> None:
    """Add the fields that follow from others: tp of engines that count otherwise, processes, world size, GPUs."""
    _SPECIAL.get(found.engine.name if found.engine else "", _nothing)(found)
    if found.launcher and found.launcher.name == "deepspeed":
        _include(found)
    if found.engine and found.engine.name == "nccl-tests":
        _nccl_tests(found)
    settle_world(found)


def settle_world(found: Collected) -> None:
    """Add the world size and the GPUs of this node, from tp, pp, dp, nodes and processes."""
    _processes(found)
    _world(found)


def _nothing(_: Collected) -> None:
    pass


def _set(found: Collected, field: str, value: int | bool | str | None, because: str = "") -> None:
    found.given[field] = Given(value, "", "launch_command", because)


def _llamacpp(found: Collected) -> None:
    """Only row and tensor split divide a layer; the number of cards is in the split, the device list, or unknown."""
    mode = found.value("split_mode")
    cards = _entries(found.value("device_names")) or _entries(found.value("tensor_split"))
    if mode in ("row", "tensor"):
        _set(found, "tp", cards, "one part for each GPU that llama.cpp sees")
    if cards:
        _set(found, "gpus_needed", cards)
    devices = found.given.get("device_names") or found.given.get("tensor_split")
    if devices:
        found.given["devices"] = devices
    if "hf_model" in found.given:
        found.given.setdefault("model", found.given["hf_model"])


def _entries(value: object) -> int | None:
    return len([e for e in re.split(r"[,/ ]+", value) if e]) or None if isinstance(value, str) else None


def _exllamav2(found: Collected) -> None:
    split = found.value("gpu_split")
    cards = _entries(split)
    if found.value("tensor_parallel") is True:
        _set(found, "tp", cards, "one part for each GPU that ExLlamaV2 sees")
    if cards:
        _set(found, "gpus_needed", cards)
        found.given["devices"] = found.given["gpu_split"]


def _tgi(found: Collected) -> None:
    """Without --num-shard TGI takes all the GPUs it sees, unless it is told not to shard."""
    shards, sharded = found.count("tp"), found.value("sharded")
    if sharded is False and shards is not None and shards > 1:
        found.contradictions.append(f"`{found.given['tp'].spelled}` asks for shards, `--sharded false` forbids them.")
    if "tp" not in found.given:
        if sharded is False:
            found.given["tp"] = Given(1, "", "default")
        else:
            _set(found, "tp", None, "one shard for each GPU that TGI sees")


def _vllm(found: Collected) -> None:
    if found.value("executor_ray") is True:
        found.given.setdefault("executor", Given("ray", "", "launch_command"))
    executor = found.value("executor")
    if executor == "external_launcher":
        found.given["executor"] = Given("external", found.given["executor"].spelled, "launch_command")
    local = found.count("dp_local")
    per_replica = [found.count("tp"), found.count("pp")]
    if local is not None and local > 0 and None not in per_replica:
        _set(found, "gpus_needed", local * prod(n for n in per_replica if n is not None))
    elif found.value("executor") == "ray" and "nodes" not in found.given:
        _set(found, "gpus_needed", None, "Ray may place the workers on several nodes")


def _lm_eval(found: Collected) -> None:
    """--model_args pretrained=ID,tensor_parallel_size=2,..."""
    args = found.value("model_args")
    if not isinstance(args, str):
        return
    names = {"pretrained": "model", "tensor_parallel_size": "tp", "data_parallel_size": "dp", "dtype": "dtype",
             "quantization": "quantization"}  # fmt: skip
    for part in args.split(",")[:64]:
        name, _, value = part.partition("=")
        field = names.get(name.strip())
        if field in ("tp", "dp"):
            if value.isdigit() and 0 < len(value) < 6:
                _set(found, field, int(value))
        elif field and value:
            _set(found, field, value)


def _nccl_tests(found: Collected) -> None:
    per_process = (found.count("gpus_per_thread") or 1) * (found.count("threads") or 1)
    processes = found.count("processes") or 1
    _set(found, "world_size", per_process * processes)
    nodes = _nodes(found)
    if nodes is not None:
        _set(found, "gpus_needed", ceil(per_process * processes / nodes))


def _include(found: Collected) -> None:
    """DeepSpeed's --include localhost:0,1@other:0,1."""
    include = found.value("include")
    if not isinstance(include, str) or not include:
        return
    hosts = include.split("@")[:4096]
    found.given["devices"] = found.given["include"]
    listed = [_entries(h.partition(":")[2]) for h in hosts]
    if "nodes" not in found.given:
        _set(found, "nodes", len(hosts))
    first = listed[0]
    given = found.count("processes_per_node")
    if given is not None:
        both = f"`{found.given['processes_per_node'].spelled}` and `{found.given['include'].spelled}`"
        found.contradictions.append(f"DeepSpeed refuses {both} together.")
    if first is not None:
        _set(found, "processes_per_node", first)


def _nodes(found: Collected) -> int | None:
    """The number of nodes; 1 where nothing speaks of several, None where several are possible."""
    if "nodes" in found.given:
        return found.count("nodes")
    hosts = found.value("hosts")
    if isinstance(hosts, str):
        return len(hosts.split(","))
    return None if "hostfile" in found.given else 1


def _processes(found: Collected) -> None:
    total, nodes = found.count("processes"), _nodes(found)
    if nodes is not None and nodes > 1 and "nodes" not in found.given:
        _set(found, "nodes", nodes)
    if "processes_per_node" not in found.given and total is not None and nodes:
        _set(found, "processes_per_node", ceil(total / nodes))


def _world(found: Collected) -> None:
    """Engines need tp x pp x dp; a launcher starts processes x nodes, which a script's tp has to divide."""
    parallel = _parallel(found)
    launched = _launched(found)
    if launched is not None and parallel is not None and launched % parallel:
        words = [found.given[f].spelled for f in ("tp", "pp") if f in found.given and found.given[f].spelled]
        starts = next(
            (found.given[f].spelled for f in ("processes_per_node", "processes") if f in found.given), "the launcher"
        )
        found.contradictions.append(
            f"`{starts or 'the launcher'}` starts {launched} processes, which `{' '.join(words)}` cannot divide evenly."
        )
    option = found.count("world_size_option")
    if option is not None and launched is not None and option != launched:
        spelled = found.given["world_size_option"].spelled
        found.contradictions.append(f"The launcher starts {launched} processes, `{spelled}` says otherwise.")
    world = launched if launched is not None and (found.launcher or not found.engine) else parallel
    if world is None and option is not None:
        world = option
    if world is not None and "world_size" not in found.given:
        _set(found, "world_size", world)
    _gpus(found, world)


def _parallel(found: Collected) -> int | None:
    """The product of tp, pp and dp as given; None without a tp."""
    tp = found.count("tp")
    if tp is None:
        return None
    replicas = 1 if found.value("dp_attention") is True else found.count("dp") or 1
    return tp * (found.count("pp") or 1) * replicas


def _launched(found: Collected) -> int | None:
    per_node, nodes = found.count("processes_per_node"), _nodes(found)
    if per_node is not None and nodes is not None:
        return per_node * nodes
    return found.count("processes")


def _gpus(found: Collected, world: int | None) -> None:
    """GPUs on this node: a node's share of the world."""
    if "gpus_needed" in found.given:
        return
    per_node = found.count("processes_per_node")
    if per_node is not None and (found.launcher or not found.engine):
        _set(found, "gpus_needed", per_node)
        return
    nodes, limit = _nodes(found), found.count("gpus_per_node")
    if world is None or nodes is None:
        return
    share = ceil(world / nodes)
    _set(found, "gpus_needed", min(share, limit) if limit else share)


_SPECIAL = {
    "llamacpp": _llamacpp,
    "exllamav2": _exllamav2,
    "tgi": _tgi,
    "vllm": _vllm,
    "lm_eval": _lm_eval,
}


def listed_devices(gpus: str) -> int | None:
    """How many GPUs `docker run --gpus VALUE` or a CUDA_VISIBLE_DEVICES list gives; None for all of them."""
    value = gpus.strip().strip("\"'")
    if value == "all":
        return None
    if value.isdigit() and len(value) < 6:
        return int(value)
    match = _DEVICE_LIST.search(value)
    return len([e for e in match.group(1).split(",") if e.strip()]) if match else None
