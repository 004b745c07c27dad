r"""A launch command: `docker run ...`, `vllm serve ...`, `torchrun ...`, with its prompt and continued lines.

$ CUDA_VISIBLE_DEVICES=0,1 vllm serve MODEL --tensor-parallel-size 2 \
    --disable-custom-all-reduce
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from gpudoctor.model.facts import Facts
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import MAX_LINE
from gpudoctor.readers.documents.environment import environment_facts

SOURCE = "launch command in the paste"

# What a shell shows before a command: user and host, a folder, $ or #. Not ">": that is quoting, or Python's.
_PROMPT = re.compile(
    r"\s{0,40}(?:\[[\d:]{5,8}\] ?)?(?:\([^()\n]{1,60}\)(?::[^\s:]{1,80})? ?)?"
    r"(?:\[?[\w.-]{1,40}@[\w.-]{1,80}[: ]?[^\s$#%>]{0,80}\]? ?)?(?:[$#%\u276f] {1,4})?"
)
_VALUE = r"(?:\"[^\"]{0,300}\"|'[^']{0,300}'|[^\s\"']\S{0,300}|)"  # each in one way only: there are many of them
_SETTINGS = rf"(?:(?:env|sudo|nohup|time|exec) {{1,4}}|[A-Z_][A-Z0-9_]{{1,60}}={_VALUE} {{1,4}})"
_SCRIPT = r"\S{1,120}\.py\b"
_GIVEN = rf"(?:--?[A-Za-z]|{_SCRIPT})"  # what follows a launcher; words are a sentence about it
_PROGRAM = (
    rf"(?:docker|podman|nerdctl) (?:container )?run (?:-|\S{{1,120}}[/:])|vllm (?:serve|bench) \S|torchrun {_GIVEN}"
    rf"|accelerate launch {_GIVEN}|deepspeed {_GIVEN}|lm_eval -|lmdeploy serve |text-generation-launcher -"
    r"|python[\d.]{0,5} (?:-\w )?-m (?:vllm|sglang|torch\.distributed|tensorrt_llm|llama_cpp|accelerate|deepspeed)"
    r"|python[\d.]{0,5} -m lm_eval|trtllm-(?:serve|bench|llmapi-launch|eval) \S|(?:\S{0,80}/)?mpi(?:run|exec) -"
    r"|srun (?:-|\S{0,80}/)"
    r"|(?:\S{0,80}/)?(?:all_reduce|all_gather|alltoall|sendrecv|broadcast|reduce_scatter)_perf\b"
    rf"|(?:\S{{0,80}}/)?llama-(?:server|cli|bench) -|uv run |python[\d.]{{0,5}} {_SCRIPT}"
)
_COMMAND = re.compile(rf"(?P<settings>{_SETTINGS}{{0,24}})(?P<program>{_PROGRAM})")
_PLAIN_SCRIPT = re.compile(r"(?:python[\d.]{0,5} \S{1,120}\.py|uv run )")
_CONTINUED = re.compile(r"\s{1,40}\S|--?[A-Za-z]")
_MAX_COMMANDS = 24
_MAX_COMMAND = 16_000


def _begins(line: str) -> bool:
    return bool(_command(line[: MAX_LINE * 4]))


def _command(line: str) -> str:
    """The command of a line without its prompt; "" where the line is none.

    A script alone may be any text with a file's name in it: it needs settings or a prompt in front.
    """
    prompt = _PROMPT.match(line)
    start = prompt.end() if prompt else 0
    match = _COMMAND.match(line, start)
    if match is None:
        return ""
    bare_script = _PLAIN_SCRIPT.match(line, match.start("program"))
    if bare_script and not match.group("settings") and not line[:start].strip():
        return ""
    return line[start:]


def _belongs(line: str, _taken: int) -> bool:
    return bool(line.strip()) and (line.rstrip().endswith("\\") or _CONTINUED.match(line) is not None)


def _read(lines: Sequence[str]) -> Facts:
    """The first command that names a framework, else the first."""
    first = Facts()
    for command in _commands(lines):
        facts = command_facts(command, SOURCE)
        if facts.workload.framework.known:
            return facts
        first = facts if first == Facts() else first
    return first


def _commands(lines: Sequence[str]) -> list[str]:
    commands: list[str] = []
    open_end = False
    for line in lines:
        text = line[: MAX_LINE * 4]
        start = _command(text)
        if start and not (commands and open_end):
            commands.append(start.rstrip())
        elif commands and (open_end or text.lstrip().startswith("-")) and len(commands[-1]) < _MAX_COMMAND:
            commands[-1] = f"{commands[-1].removesuffix(chr(92)).rstrip()} {text.strip()}"
        open_end = text.rstrip().endswith("\\")
    return [command.removesuffix("\\") for command in commands[:_MAX_COMMANDS]]


def command_facts(command: str, source: str) -> Facts:
    """What a command line says of the run, and the variables that it sets; nothing where it cannot be read."""
    from gpudoctor.workload import CommandError, parse

    try:
        parsed = parse([command])
    except CommandError:
        return Facts()
    facts = environment_facts(dict(parsed.env), source, of_container=True)
    if parsed.workload.container.known:
        return replace(facts, workload=parsed.workload)
    if parsed.workload.framework.known:
        return Facts(workload=parsed.workload, environment=facts.environment)
    return Facts(environment=facts.environment)  # a script of its own: only its settings are understood


DOCUMENT = Document(
    name="launch command",
    literals=(
        "docker run", "podman run", "nerdctl run", "docker container run", "vllm serve", "vllm bench", "torchrun ",
        "accelerate launch", "deepspeed ", "-m vllm", "-m sglang", "-m torch.distributed", "-m tensorrt_llm",
        "-m llama_cpp", "-m accelerate", "-m deepspeed", "-m lm_eval", "trtllm-", "text-generation-launcher",
        "lm_eval ", "llama-server", "llama-cli", "llama-bench", "lmdeploy ", "mpirun ", "mpiexec ", "srun ", "_perf ",
        "uv run ", ".py ",
    ),
    begins=_begins,
    belongs=_belongs,
    continued="\\",
    read=_read,
    max_lines=80,
    single=True,
)  # fmt: skip
