"""`model.safetensors.index.json`: which file of a sharded checkpoint holds which tensor."""

from __future__ import annotations

from typing import Final

import msgspec

from gpudoctor.readers.tensor import MAX_TENSORS, CheckpointError

MAX_INDEX_BYTES: Final = 64 << 20
MAX_SHARDS: Final = 10_000


class SafetensorsIndex(msgspec.Struct, frozen=True):
    """`shards` are file names below the index's folder, sorted; `total_bytes` is what the index says, if it does."""

    shards: tuple[str, ...]
    tensors: int
    total_bytes: int | None


class _Metadata(msgspec.Struct, frozen=True):
    total_size: int | float | None = None


class _Index(msgspec.Struct, frozen=True):
    weight_map: dict[str, str]
    metadata: _Metadata | None = None


def read_safetensors_index(text: bytes) -> SafetensorsIndex:
    """Raises CheckpointError. Names that lead out of the folder are refused: an index is foreign."""
    if len(text) > MAX_INDEX_BYTES:
        raise CheckpointError(f"is larger than {MAX_INDEX_BYTES >> 20} MiB")
    try:
        index = msgspec.json.decode(text, type=_Index)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise CheckpointError(f"is no index of safetensors files: {str(error)[:160]}") from error
    if len(index.weight_map) > MAX_TENSORS:
        raise CheckpointError(f"lists more than {MAX_TENSORS} tensors")
    shards = sorted(set(index.weight_map.values()))
    if len(shards) > MAX_SHARDS:
        raise CheckpointError(f"names more than {MAX_SHARDS} files")
    for shard in shards:
        if not shard.endswith(".safetensors") or "/" in shard or "\0" in shard or len(shard) > 255:
            raise CheckpointError(f"names {shard[:80]!a}, which is no safetensors file of its own folder")
    total = index.metadata.total_size if index.metadata else None
    return SafetensorsIndex(tuple(shards), len(index.weight_map), int(total) if total and 0 < total < 1 << 50 else None)
