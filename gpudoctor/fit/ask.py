"""From a model, cards and plain options to a question; and the TP size where none was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.errors import UsageError
from gpudoctor.fit.card import Card
from gpudoctor.fit.identify import Identified
from gpudoctor.fit.legality import legal_sizes
from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import (
    BY_LAYERS,
    ENGINES,
    SPLIT_MODES,
    Engine,
    Question,
    SplitMode,
    known_kv_dtype,
    parse_version,
)
from gpudoctor.fit.shape import Packing

_PLAIN: Final = {
    "": 2.0, "auto": 2.0, "bf16": 2.0, "bfloat16": 2.0, "fp16": 2.0, "float16": 2.0, "half": 2.0, "fp32": 4.0,
    "float32": 4.0, "float": 4.0,
}  # fmt: skip
_ALIAS: Final = {"llama.cpp": "llamacpp", "llama-cpp": "llamacpp", "ollama": "llamacpp", "hf": "transformers"}
# Formats that only some engines read.
_READS: Final = {
    "gguf": ("llamacpp", "vllm", "sglang"),
    "exl2": ("exllamav2",),
    "exl3": ("exllamav3",),
}


class Options(Struct, frozen=True, kw_only=True):
    """As on the command line; None or "" where not given."""

    engine: str = ""
    engine_version: str = ""
    tp: int | None = None
    pp: int = 1
    dp: int = 1
    expert_parallel: bool = False
    dtype: str = ""
    kv_dtype: str = ""
    max_model_len: int | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    utilization: float | None = None
    mem_fraction: float | None = None
    split_mode: str = ""
    eager: bool = False


class Asked(Struct, frozen=True, kw_only=True):
    """The question, and what was chosen for the user."""

    question: Question
    notes: tuple[str, ...] = ()


def ask(model: Identified, cards: Sequence[Card], options: Options) -> Asked:
    """The question that the options make.

    Raises:
        UsageError: a value that no engine knows, or a format that the engine cannot read.
    """
    engine = engine_of(options.engine, model.packing)
    notes = [] if options.engine else [f"engine {engine}"]
    question = Question(
        shape=model.shape,
        cards=tuple(cards),
        engine=engine,
        version=_version(options.engine_version),
        tp=options.tp or 1,
        pp=options.pp,
        dp=options.dp,
        expert_parallel=options.expert_parallel,
        packing=model.packing,
        plain_bytes=_plain_bytes(options.dtype),
        kv_dtype=_kv_dtype(options.kv_dtype),
        max_model_len=options.max_model_len,
        max_num_seqs=options.max_num_seqs,
        max_num_batched_tokens=options.max_num_batched_tokens,
        utilization=options.utilization,
        mem_fraction=options.mem_fraction,
        split_mode=_split_mode(options.split_mode),
        eager=options.eager,
    )
    if options.tp is None and engine not in BY_LAYERS:
        question = _with_size(question)
        notes.append(f"TP {question.tp}, {_why(question)}")
    return Asked(question=question, notes=tuple(notes))


def without_effect(options: Options, engine: Engine) -> Iterator[str]:
    """Notes about options that mean nothing to this engine."""
    for given, name, owner in (
        (options.utilization is not None, "--gpu-memory-utilization", "vllm"),
        (options.mem_fraction is not None, "--mem-fraction-static", "sglang"),
        (bool(options.split_mode), "--split-mode", "llamacpp"),
        (options.eager, "--enforce-eager", "vllm"),
    ):
        if given and engine != owner:
            yield f"{name} without effect, an option of {owner}"


def _with_size(question: Question) -> Question:
    """The smallest legal TP size that fits on the cards, else the largest legal one."""
    most = max(1, len(question.cards) // (question.pp * question.dp))
    sizes = [tp for tp in legal_sizes(question) if tp <= most] or [1]
    tried = (replace(question, tp=tp) for tp in sizes)
    return next((case for case in tried if predict(case).fits), replace(question, tp=sizes[-1]))


def _why(question: Question) -> str:
    if predict(question).fits:
        return "the smallest size that fits"
    return f"the largest that the model allows on {len(question.cards)} GPUs"


def engine_of(text: str, packing: Packing | None) -> Engine:
    """The engine that is named, else the one that reads such files. Raises UsageError."""
    kind = packing.method.partition(":")[0] if packing else ""
    readers = _READS.get(kind)
    low = _ALIAS.get(text.lower(), text.lower())
    if not low:
        return _named_engine(readers[0] if readers else "vllm")
    engine = _named_engine(low)
    if readers and engine not in readers:
        raise UsageError(f"{engine} cannot read {kind} files", f"--engine {readers[0]} can")
    return engine


def _named_engine(name: str) -> Engine:
    for engine in ENGINES:
        if engine == name:
            return engine
    raise UsageError(f"unknown engine {name[:40]!r}", f"one of {', '.join(ENGINES)}")


def _version(text: str) -> tuple[int, ...] | None:
    if not text:
        return None
    found = parse_version(text)
    if found is None:
        raise UsageError(f"{text[:40]!r} is no version", "write it like 0.11.0")
    return found


def _plain_bytes(dtype: str) -> float:
    found = _PLAIN.get(dtype.lower())
    if found is None:
        raise UsageError(f"unknown dtype {dtype[:40]!r}", "one of bf16, fp16, fp32")
    return found


def _kv_dtype(text: str) -> str:
    if text and not known_kv_dtype(text):
        raise UsageError(f"unknown KV cache dtype {text[:40]!r}", "one like auto, fp16, fp8, fp8_e5m2, q8_0, q4_0, Q6")
    return text or "auto"


def _split_mode(text: str) -> SplitMode | None:
    if not text:
        return None
    for mode in SPLIT_MODES:
        if mode == text.lower():
            return mode
    raise UsageError(f"unknown split mode {text[:40]!r}", f"one of {', '.join(SPLIT_MODES)}")
