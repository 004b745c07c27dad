"""Which model is meant, and how its weights are stored: by id, by a relative's name, or by its size alone."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.data.models import ModelRow, rows
from gpudoctor.errors import UsageError
from gpudoctor.fit.names import resolve
from gpudoctor.fit.packing import AS_STORED, named, says_plain, stored
from gpudoctor.fit.rows import shape_of
from gpudoctor.fit.shape import Packing, Shape
from gpudoctor.fit.tensors import parameters

_PADDED: Final = ("awq", "gptq-4bit", "gptq-8bit")
_GROUP = re.compile(r"(?<![a-z0-9])(?:g(\d{2,3})|(\d{2,3})g)(?![a-z0-9])")
_COUNT = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*([bmt])")
_UNIT: Final = {"m": 1e6, "b": 1e9, "t": 1e12}
# Dense models of ever larger size: a size alone is taken for a model shaped like the next of these.
_LADDER: Final = (
    "Qwen/Qwen2.5-0.5B", "meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.2-3B", "meta-llama/Meta-Llama-3.1-8B",
    "Qwen/Qwen2.5-14B", "Qwen/Qwen2.5-32B", "meta-llama/Meta-Llama-3.1-70B", "mistralai/Mistral-Large-Instruct-2407",
    "meta-llama/Meta-Llama-3.1-405B",
)  # fmt: skip
_CONTEXT_OF_A_SIZE: Final = 8192  # nobody knows what such a model was trained for


class Identified(Struct, frozen=True, kw_only=True):
    """A model with its storage. `by`: exact, relative, local or parameters."""

    shape: Shape
    packing: Packing | None
    by: str
    notes: tuple[str, ...] = ()


def identify(name: str, quant: str = "") -> Identified:
    """A model of the packaged table, or a relative of one.

    Args:
        name: an id, or the name of a fine-tuned or re-quantised relative.
        quant: how the weights are stored, where the name does not say; "none" for plain floats.

    Raises:
        UsageError: no certain row, or an unknown quantisation.
    """
    match = resolve(name)
    if match is None:
        raise UsageError(f"no model called {name[:80]!r} is in the table", _hint(name))
    row, notes = match.row, []
    if match.by == "relative":
        notes.append(f"taken for a relative of {row.id}: same shape, other weights")
    packing = _packing(row, match.by, name, quant, notes)
    row = _adjusted(row, name, packing)
    shape = replace(shape_of(row), packing=_own(row))
    return Identified(shape=shape, packing=packing, by=match.by, notes=(*notes, *shape.assumptions))


def of_local(shape: Shape, quant: str = "") -> Identified:
    """A model whose files were read: stored as they say unless the user says otherwise."""
    packing = shape.packing
    if quant.lower() not in AS_STORED:
        asked = asked_packing(quant)
        packing = packing if asked and packing and asked.method == packing.method else asked
    return Identified(shape=shape, packing=packing, by="local", notes=shape.assumptions)


def of_size(text: str, quant: str = "") -> Identified:
    """A dense model with so many parameters.

    Raises:
        UsageError: the text is no number of parameters.
    """
    found = _COUNT.fullmatch(text.strip().lower())
    count = float(found.group(1)) * _UNIT[found.group(2)] if found else 0.0
    if not 1e7 <= count <= 1e13:
        raise UsageError(f"{text[:40]!r} is no number of parameters", "write it like 70b, 0.5b or 350m")
    table = {row.id: row for row in rows()}
    shapes = [shape_of(table[name]) for name in _LADDER]
    model = min(shapes, key=lambda shape: abs(parameters(shape) / count - count / parameters(shape)))
    layer = (parameters(model) - parameters(replace(model, layers=()))) / model.depth
    depth = max(1, round((count - parameters(replace(model, layers=()))) / layer))
    shape = replace(
        model,
        id=f"{text.strip()} parameters",
        source="assumed",
        layers=tuple(model.layers[0] for _ in range(depth)),
        max_positions=_CONTEXT_OF_A_SIZE,
        packing=None,
    )
    note = (
        f"a dense model shaped like {model.id} with {depth} layers instead of {model.depth}"
        if depth != model.depth
        else f"a dense model shaped like {model.id}"
    )
    packing = asked_packing(quant) if quant.lower() not in AS_STORED else None
    return Identified(shape=shape, packing=packing, by="parameters", notes=(note,))


def asked_packing(quant: str) -> Packing | None:
    """What `--quant` asks for.

    Raises:
        UsageError: it names no method that we know.
    """
    if says_plain(quant):
        return None
    found = named(quant)
    if found is None:
        hint = "none, fp8, int8, awq, gptq-4bit, gptq-8bit, bnb-nf4, mxfp4, nvfp4, exl2:4.0, exl3:3.5, gguf:Q4_K_M"
        raise UsageError(f"unknown quantisation {quant[:40]!r}", f"one of {hint}")
    if found.method.startswith("gguf:"):
        _check_gguf(found.method.partition(":")[2])
    return found


def close_names(name: str) -> list[str]:
    """Ids of the table that look like a name."""
    from difflib import get_close_matches

    tails = {row.id.rpartition("/")[2].lower(): row.id for row in rows()}
    found = get_close_matches(name.rpartition("/")[2].lower()[:128], tails, n=3, cutoff=0.5)
    return [tails[tail] for tail in found]


def _check_gguf(kind: str) -> None:
    from gpudoctor.fit.gguf import known_type

    if not known_type(kind):
        raise UsageError(f"unknown GGUF type {kind!r}", "one like gguf:Q4_K_M, gguf:Q8_0, gguf:IQ4_XS or gguf:F16")


def _hint(name: str) -> str:
    near = close_names(name)
    start = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{start}A folder with its config.json, a .gguf file, or --params 70b will do too"


def _packing(row: ModelRow, by: str, name: str, quant: str, notes: list[str]) -> Packing | None:
    own, tail = _own(row), name.rpartition("/")[2]
    if quant.lower() not in AS_STORED:
        asked = asked_packing(quant)
        # The checkpoint knows more of the same method: group size, blocks, what stays 16-bit.
        same = own is not None and asked is not None and own.method == asked.method
        return own if same else _with_group(asked, tail)
    told = named(tail)
    if by == "exact":
        return own or told
    if told is not None:
        return own if own and own.method == told.method else _with_group(told, tail)
    if named(row.id) is not None:
        notes.append("plain 16-bit weights: its name says nothing of quantisation")
        return None
    return None if says_plain(tail) else own


def _with_group(packing: Packing | None, name: str) -> Packing | None:
    found = _GROUP.search(name.lower())
    if packing is None or found is None or packing.method not in _PADDED:
        return packing
    return replace(packing, group_size=int(found.group(1) or found.group(2)))


def _own(row: ModelRow) -> Packing | None:
    if row.quantization_config is not None:
        return stored(row.quantization_config)
    return named(row.id)


def _adjusted(row: ModelRow, name: str, packing: Packing | None) -> ModelRow:
    """What differs between the variants of a row."""
    changes: dict[str, int] = {}
    if packing is not None and packing.method in _PADDED and row.quantized_intermediate_size:
        changes["intermediate_size"] = row.quantized_intermediate_size
    if row.instruct_max_position_embeddings and "instruct" in name.lower():
        changes["max_position_embeddings"] = row.instruct_max_position_embeddings
    return replace(row, **changes) if changes else row
