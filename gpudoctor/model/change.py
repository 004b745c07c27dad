"""The smallest change of the user's own launch command, as a rule asks for it."""

from msgspec import Struct, field


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """What a fix changes, in our generic names; `workload.rewrite` knows each framework's spelling.

    Values are plain text, not yet quoted for a shell: who builds the command line quotes them.

    Example: `Change(flags={"tp": "2"}, env={"CUDA_VISIBLE_DEVICES": "0,1"}, unset=("NCCL_P2P_DISABLE",))`.
    """

    # tp, pp, dp, max_model_len, gpu_memory_utilization, quantization, dtype, kv_cache_dtype, max_num_seqs, model ...
    flags: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)  # set in front of the command
    unset: tuple[str, ...] = ()  # variables that must not reach the process
    add: tuple[str, ...] = ()  # literal options to add, e.g. "--enforce-eager"
    remove: tuple[str, ...] = ()  # literal options to take away, with their value where they have one


class Rewritten(Struct, frozen=True):
    """What became of a change. `options` are in backticks, and only where the launch command is not known."""

    command: str = ""  # to be pasted; "" where there is nothing to paste
    options: str = ""  # to be put into whatever the user starts
