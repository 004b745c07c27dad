"""Whether a model can be cut into N parts: the divisibility that each engine asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gpudoctor.data.models import ModelRow
from gpudoctor.derive.model_format import Format

MAX_TP: Final = 64


def obstacles(row: ModelRow, form: Format, engine: str, tp: int) -> Iterator[str]:
    """Why `tp` parts are impossible, one clause each; nothing where they are possible."""
    if tp == 1:
        return
    heads = row.num_attention_heads or 0
    if heads % tp:
        yield f"its {heads} attention heads do not divide by {tp}"
    yield from _kv_heads(row, engine, tp)
    yield from _widths(row, form, tp)


def legal_sizes(row: ModelRow, form: Format, engine: str) -> tuple[int, ...]:
    """All possible sizes up to 64."""
    return tuple(tp for tp in range(1, MAX_TP + 1) if next(obstacles(row, form, engine, tp), None) is None)


def _kv_heads(row: ModelRow, engine: str, tp: int) -> Iterator[str]:
    kv = row.num_key_value_heads
    if kv is None or row.kv_lora_rank is not None:
        return
    if engine == "tgi" and kv % tp:
        yield f"TGI needs its {kv} KV heads to divide by {tp}"
    elif kv % tp and tp % kv:
        yield f"neither do its {kv} KV heads divide by {tp}, nor can {tp} parts share them evenly"


def _widths(row: ModelRow, form: Format, tp: int) -> Iterator[str]:
    for width, what in _sharded_inputs(row):
        if width % tp:
            yield f"its {what} of {width} does not divide by {tp}"
        elif form.group_size and (width // tp) % form.group_size:
            yield (
                f"a part of its {what} would be {width // tp} wide, "
                f"which is no whole number of {form.name} groups of {form.group_size}"
            )
        elif form.block_size and (width // tp) % form.block_size:
            yield _block(what, width // tp, form.block_size)
    kv, head = row.num_key_value_heads, _head_dim(row)
    if form.block_size and kv and head and row.kv_lora_rank is None:
        part = max(1, kv // tp) * head
        if part % form.block_size:
            yield _block("KV projection", part, form.block_size)


def _block(what: str, part: int, block: int) -> str:
    return f"a part of its {what} would be {part} wide, which is no multiple of the FP8 block of {block}"


def _sharded_inputs(row: ModelRow) -> Iterator[tuple[int, str]]:
    """Widths that are cut: the inputs of the output projection and of the MLP's and experts' last layer."""
    heads = row.num_attention_heads
    head = row.v_head_dim or _head_dim(row)
    if heads and head:
        yield heads * head, "attention width"
    if row.intermediate_size:
        yield row.intermediate_size, "MLP width"
    if row.moe_intermediate_size and row.moe_intermediate_size != row.intermediate_size:
        yield row.moe_intermediate_size, "expert width"


def _head_dim(row: ModelRow) -> int | None:
    if row.head_dim:
        return row.head_dim
    if row.hidden_size and row.num_attention_heads:
        return row.hidden_size // row.num_attention_heads
    return None
