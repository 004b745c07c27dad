"""What was read of a local checkpoint → a `Shape` with exact sizes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from gpudoctor.fit.config_packing import packing_of
from gpudoctor.fit.config_row import row_of
from gpudoctor.fit.gguf_row import gguf_row
from gpudoctor.fit.rows import shape_of
from gpudoctor.fit.shape import Packing, Shape, Tower
from gpudoctor.fit.stored_tensors import Inventory, inventory
from gpudoctor.readers.gguf import Gguf
from gpudoctor.readers.model_config import ModelConfig
from gpudoctor.readers.quantization_config import Quantization
from gpudoctor.readers.tensor import Tensor

_WORTH_SAYING = 0.001  # of the checkpoint


def shape_of_folder(
    config: ModelConfig, quantization: Quantization | None, tensors: Sequence[Tensor], name: str
) -> Shape:
    """The shape of a folder in the form of Hugging Face.

    Args:
        config: its config.json.
        quantization: how its weights are stored, by config.json or a file of its own.
        tensors: of all its files; empty where there are none to read, and then the formula stands in.
        name: what to call it.

    Raises:
        IncompleteRowError: the configuration does not say enough.
    """
    row = row_of(config, name)
    shape = shape_of(row)
    packing = packing_of(quantization, shape.depth) if quantization else None
    notes = list(shape.assumptions)
    if quantization and packing is None:
        notes.append(f"how {quantization.method} packs weights is not known: sizes as in the files")
    shape = replace(shape, packing=packing, assumptions=tuple(notes))
    return _with_stored(shape, inventory(tensors, shape)) if tensors else shape


def shape_of_gguf(files: Sequence[Gguf], name: str) -> Shape:
    """The shape of a GGUF model, in one file or several parts of which the first has the metadata.

    Raises:
        IncompleteRowError: the metadata do not say enough.
    """
    tensors = tuple(tensor for file in files for tensor in file.tensors)
    first = files[0]
    whole = Gguf(first.version, first.values, tensors)
    shape = shape_of(gguf_row(whole, name))
    kind = first.mixture or _commonest(tensors)
    notes = list(shape.assumptions)
    if first.number("attention.kv_lora_rank") and not first.number("attention.key_length_mla"):
        notes.append("converted before llama.cpp knew latent attention: its cache has whole heads")
    shape = replace(shape, packing=Packing(method=f"gguf:{kind}"), source="GGUF metadata", assumptions=tuple(notes))
    return _with_stored(shape, inventory(tensors, shape, as_stored=True))


def _with_stored(shape: Shape, found: Inventory) -> Shape:
    notes = list(shape.assumptions)
    if found.unknown_bytes > _WORTH_SAYING * found.total_bytes:
        notes.append(
            f"{found.unknown_bytes / found.total_bytes:.1%} of the weights have names that are not known: "
            "they are counted on every GPU"
        )
    embedded = any(part.tensor_class == "embedding" for part in found.stored)
    return replace(
        shape,
        stored=found.stored,
        tied=not found.has_head if embedded else shape.tied,
        tower=_tower(shape, found),
        assumptions=tuple(note for note in notes if "output projection" not in note),
    )


def _tower(shape: Shape, found: Inventory) -> Tower | None:
    """Engines share out a tower by its heads; its size is what the files say."""
    size = sum(part.bytes for part in found.stored if part.tensor_class == "vision")
    if not size:
        return None
    known = shape.tower
    parameters = max(1, size // 2)
    projector = min(known.projector_parameters, parameters) if known else 0
    return Tower(parameters=parameters, projector_parameters=projector, heads=known.heads if known else 0)


def _commonest(tensors: Sequence[Tensor]) -> str:
    sizes: dict[str, int] = {}
    for tensor in tensors:
        sizes[tensor.kind] = sizes.get(tensor.kind, 0) + tensor.bytes
    return max(sizes, key=lambda kind: sizes[kind], default="F16")
