"""Which tensor-parallel sizes a model allows under an engine, each refusal with its exact rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from gpudoctor.fit.question import BY_LAYERS, Question
from gpudoctor.fit.shape import (
    Attention,
    CompressedAttention,
    Dense,
    Experts,
    LatentAttention,
    Layer,
    LinearAttention,
    Packing,
    StateSpace,
)
from gpudoctor.fit.tensors import heads_per_rank

MAX_TP: Final = 64
_MAX_LAYER_CARDS: Final = 16
_MARLIN_COLUMNS: Final = 128  # min_thread_k
_GROUPED: Final = ("awq", "gptq-4bit", "gptq-8bit", "int4")
_PADS_SINCE: Final = (0, 24)  # vLLM pads dense layers for Marlin from here on


def obstacles(question: Question) -> Iterator[str]:
    """Why the question's TP size is impossible, one clause each; nothing where it is possible."""
    if question.tp == 1 or question.engine in BY_LAYERS:
        return
    said: set[str] = set()
    for layer in dict.fromkeys(question.shape.layers):
        for clause in _of_layer(layer, question):
            if clause not in said:
                said.add(clause)
                yield clause


def legal_sizes(question: Question) -> tuple[int, ...]:
    """All possible sizes: up to 64, or up to 16 cards where whole layers are dealt out."""
    if question.engine in BY_LAYERS:
        return tuple(range(1, _MAX_LAYER_CARDS + 1))
    return tuple(tp for tp in range(1, MAX_TP + 1) if next(obstacles(replace(question, tp=tp)), None) is None)


def _of_layer(layer: Layer, question: Question) -> Iterator[str]:
    tp, mixer = question.tp, layer.mixer
    if isinstance(mixer, Attention):
        yield from _attention(mixer, question)
    elif isinstance(mixer, (LatentAttention, CompressedAttention)):
        yield from _heads(mixer.heads, "attention heads", tp)
        if isinstance(mixer, LatentAttention):
            yield from _width(mixer.heads * mixer.value_dim, "attention width", question)
    elif isinstance(mixer, LinearAttention):
        yield from _heads(mixer.value_heads, "value heads of linear attention", tp)
        yield from _heads(mixer.key_heads, "key heads of linear attention", tp)
    elif isinstance(mixer, StateSpace):
        yield from _heads(mixer.heads, "state-space heads", tp)
    if isinstance(layer.feed_forward, Dense):
        yield from _width(layer.feed_forward.width, "MLP width", question)
    elif isinstance(layer.feed_forward, Experts):
        yield from _experts(layer.feed_forward, question)


def _attention(mixer: Attention, question: Question) -> Iterator[str]:
    tp, kv = question.tp, mixer.kv_heads
    yield from _heads(mixer.heads, "attention heads", tp)
    if question.engine == "tgi" and kv % tp:
        yield f"TGI needs its {kv} KV heads to divide by {tp}"
    elif kv % tp and tp % kv:
        yield f"neither do its {kv} KV heads divide by {tp}, nor can {tp} parts share them evenly"
    yield from _width(mixer.heads * (mixer.value_dim or mixer.head_dim), "attention width", question)
    block = _block(question.packing)
    part = heads_per_rank(kv, tp) * mixer.head_dim
    if block and "key_value" not in (question.packing.kept if question.packing else ()) and part % block:
        yield _block_clause("KV projection", part, block)


def _experts(part: Experts, question: Question) -> Iterator[str]:
    if question.expert_parallel:
        ranks = question.tp * question.dp
        if part.count % ranks:
            yield f"its {part.count} experts do not divide by {ranks}"
    else:
        yield from _width(part.width, "expert width", question, experts=True)
    if part.shared_width:
        yield from _width(part.shared_width, "shared experts' width", question)
    if part.dense_width:
        yield from _width(part.dense_width, "MLP width", question)


def _heads(heads: int, what: str, tp: int) -> Iterator[str]:
    if heads % tp:
        yield f"its {heads} {what} do not divide by {tp}"


def _width(width: int, what: str, question: Question, *, experts: bool = False) -> Iterator[str]:
    tp, packing = question.tp, question.packing
    if width % tp:
        yield f"its {what} of {width} does not divide by {tp}"
        return
    part = width // tp
    if packing is None or _is_kept(packing, what, experts=experts):
        return
    group, block = _group(packing), _block(packing)
    if group and part % group:
        groups = f"{packing.method} groups of {group}"
        yield f"a part of its {what} would be {part} wide, which is no whole number of {groups}"
    elif block and part % block:
        yield _block_clause(what, part, block)
    elif _needs_marlin(question, packing) and part % _MARLIN_COLUMNS and not experts:
        yield f"a part of its {what} would be {part} wide, and Marlin kernels need a multiple of {_MARLIN_COLUMNS}"


def _is_kept(packing: Packing, what: str, *, experts: bool) -> bool:
    """Whether matrices of this kind stay 16-bit, so that groups do not matter."""
    if experts:
        return "experts" in packing.kept or bool(packing.experts_method)
    if "attention" in what:
        return "attention_out" in packing.kept
    return ("shared_experts" if "shared" in what else "mlp") in packing.kept


def _group(packing: Packing) -> int | None:
    return packing.group_size if packing.method in _GROUPED and (packing.group_size or 0) > 0 else None


def _block(packing: Packing | None) -> int | None:
    return packing.block_size if packing is not None else None


def _needs_marlin(question: Question, packing: Packing) -> bool:
    known = question.version is not None and question.version < _PADS_SINCE
    return question.engine == "vllm" and known and packing.method in _GROUPED


def _block_clause(what: str, part: int, block: int) -> str:
    return f"a part of its {what} would be {part} wide, which is no multiple of the FP8 block of {block}"
