"""`gpudoctor fit` with nothing but plain options, read without typer: loading that takes half of the time of an answer.

Only what means the same to typer beyond doubt is read here; any other word is left to it, with all its messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from gpudoctor.cli.fit.work import Wanted
from gpudoctor.fit.ask import Options


class Number(Struct, frozen=True):
    """An option with a number, within bounds that both include."""

    field: str
    kind: Callable[[str], int | float]
    least: float
    most: float


TEXTS: Final = {
    "--params": "params",
    "--gpu": "gpu",
    "--engine": "engine",
    "--engine-version": "engine_version",
    "--quant": "quant",
    "--dtype": "dtype",
    "--kv-dtype": "kv_dtype",
    "--split-mode": "split_mode",
    "--format": "format_name",
    "--color": "color",
}
NUMBERS: Final = {
    "--tp": Number("tp", int, 1, 1024),
    "--pp": Number("pp", int, 1, 256),
    "--dp": Number("dp", int, 1, 256),
    "--gpus": Number("gpus", int, 1, 1024),
    "--nodes": Number("nodes", int, 1, 1024),
    "--gpu-memory-gib": Number("gpu_memory_gib", float, 0.5, 4096),
    "--max-model-len": Number("max_model_len", int, 1, 1 << 30),
    "--max-num-seqs": Number("max_num_seqs", int, 1, 1 << 20),
    "--max-num-batched-tokens": Number("max_num_batched_tokens", int, 1, 1 << 24),
    "--gpu-memory-utilization": Number("utilization", float, 0.01, 1.0),
    "--mem-fraction-static": Number("mem_fraction", float, 0.01, 1.0),
}
SWITCHES: Final = {
    "--expert-parallel": "expert_parallel",
    "--ep": "expert_parallel",
    "--enforce-eager": "eager",
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "verbose",
    "-v": "verbose",
}
PATHS: Final = {"--snapshot": "snapshot", "--nccl-test": "nccl_test", "--output": "output", "-o": "output"}


def read(arguments: Sequence[str]) -> Wanted | None:
    """What the command line wants, None where typer has to say."""
    if not arguments or arguments[0] != "fit" or "--" in arguments:
        return None
    given: dict[str, object] = {}
    words = iter(arguments[1:])
    for word in words:
        if word in SWITCHES:
            given[SWITCHES[word]] = True
        elif not word.startswith("-") and word and "model" not in given:
            given["model"] = word
        else:
            value = _value(word, next(words, ""))
            if value is None:
                return None
            given[_field(word)] = value
    ours = {name: value for name, value in given.items() if name in Wanted.__struct_fields__}
    options = {name: value for name, value in given.items() if name not in ours}
    return Wanted(options=Options(**options), **ours)  # type: ignore[arg-type]  # each was made by its own option


def _field(word: str) -> str:
    return TEXTS.get(word) or PATHS.get(word) or NUMBERS[word].field


def _value(word: str, text: str) -> object | None:
    """The value of an option; None where it is none that is plainly right."""
    if not text or text.startswith("-"):
        return None
    if word in TEXTS:
        return text
    if word in PATHS:
        return Path(text)
    number = NUMBERS.get(word)
    if number is None or not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    try:
        value = number.kind(text)
    except ValueError:
        return None
    return value if number.least <= value <= number.most else None
