"""Headers of safetensors files: what the real library writes, and what nobody should have written."""

from __future__ import annotations

import json
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.readers.safetensors import MAX_HEADER_BYTES, read_safetensors
from gpudoctor.readers.tensor import CheckpointError, Tensor
from tests.readers.checkpoints import reader, write_safetensors

np = pytest.importorskip("numpy")
save_file = pytest.importorskip("safetensors.numpy").save_file


def written(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(kind: str, shape: list[int], start: int, stop: int) -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, stop]}


def test_tensors_are_those_that_the_library_wrote(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    arrays = {
        "model.embed_tokens.weight": np.zeros((64, 16), np.float16),
        "model.layers.0.mlp.down_proj.qweight": np.zeros((4, 16), np.int32),
        "model.norm.weight": np.zeros(16, np.float32),
        "scalar": np.zeros((), np.int64),
        "empty": np.zeros((0, 5), np.uint8),
    }
    save_file(arrays, path, metadata={"format": "pt", "dtype": "not a tensor's", "shape": "none"})
    tensors = read_safetensors(*reader(path.read_bytes()))
    assert {t.name: (t.shape, t.bytes) for t in tensors} == {n: (a.shape, a.nbytes) for n, a in arrays.items()}
    assert {t.name: t.kind for t in tensors}["model.embed_tokens.weight"] == "F16"


def test_types_that_numpy_has_not_are_counted_in_bits(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    assert write_safetensors(path, {"a": ("bfloat16", (3, 5)), "b": ("float8_e4m3fn", (8,))}) == 38
    tensors = read_safetensors(*reader(path.read_bytes()))
    assert {(t.kind, t.shape, t.bytes) for t in tensors} == {("BF16", (3, 5), 30), ("F8_E4M3", (8,), 8)}
    packed = written({"w": entry("F4", [2, 32], 0, 32)}, bytes(32))
    assert read_safetensors(*reader(packed)) == (Tensor("w", "F4", (2, 32), 32),)


def test_the_weights_are_never_read(tmp_path: Path) -> None:
    whole = written({"w": entry("BF16", [1 << 20, 1 << 14], 0, 1 << 35)})
    read, size = reader(whole)
    assert read_safetensors(read, size + (1 << 35))[0].bytes == 1 << 35


BROKEN = {
    "empty file": (b"", "shorter"),
    "seven bytes": (b"1234567", "shorter"),
    "a header of 2^63 bytes": (struct.pack("<Q", 1 << 63) + b"{}", "whole file has"),
    "no JSON": (written(b"[]"), "no header"),
    "half of a header": (written(b'{"w": {"dtype"'), "broken header"),
    "a size of 2^63": (written({"w": entry("U8", [1 << 63], 0, 1 << 63)}), "impossible offsets"),
    "a dimension of 2^63": (written({"w": entry("U8", [1 << 63], 0, 8)}, bytes(8)), "dimension of"),
    "a negative dimension": (written({"w": entry("U8", [-1], 0, 0)}), "dimension of -1"),
    "negative offsets": (written({"w": entry("U8", [8], -8, 0)}), "impossible offsets"),
    "a product beyond any file": (written({"w": entry("U8", [1 << 40, 1 << 40], 0, 8)}, bytes(8)), "more elements"),
    "a hundred dimensions": (written({"w": entry("U8", [1] * 100, 0, 1)}, b"1"), "100 dimensions"),
    "overlap": (written({"a": entry("U8", [8], 0, 8), "b": entry("U8", [8], 4, 12)}, bytes(12)), "overlaps"),
    "the same place": (written({"a": entry("U8", [8], 0, 8), "b": entry("U8", [8], 0, 8)}, bytes(8)), "overlaps"),
    "a gap": (written({"a": entry("U8", [8], 8, 16)}, bytes(16)), "gap"),
    "wrong size": (written({"w": entry("F32", [3], 0, 8)}, bytes(8)), "takes 12 bytes"),
    "half a byte": (written({"w": entry("F4", [3], 0, 2)}, bytes(2)), "whole bytes"),
    "unknown type": (written({"w": entry("Q9\x1b[31m", [3], 0, 8)}, bytes(8)), "unknown type 'Q9\\x1b"),
    "cut off": (written({"w": entry("U8", [100], 0, 100)}, bytes(40)), "cut off: 40 of 100"),
    "bytes behind": (written({"w": entry("U8", [4], 0, 4)}, bytes(9)), "5 bytes that belong to no tensor"),
    "no offsets": (written({"w": {"dtype": "U8", "shape": [4]}}, bytes(4)), "broken header"),
    "text for numbers": (written({"w": {"dtype": 3, "shape": "x", "data_offsets": [0]}}), "broken header"),
    "deep nesting": (written(b'{"w":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "broken header"),
    "a deep object": (written(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "broken header"),
    "digits without end": (written(b'{"w":{"shape":[' + b"9" * 100_000 + b"]}}"), "broken header"),
    "no UTF-8": (written(b'{"\xff\xfe":{}}'), "broken header"),
}


@pytest.mark.parametrize(("data", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(CheckpointError) as error:
        read_safetensors(*reader(data))
    assert words in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400


def test_a_header_larger_than_any_real_one_is_not_read() -> None:
    asked: list[int] = []

    def read(offset: int, size: int) -> bytes:
        asked.append(size)
        return struct.pack("<Q", MAX_HEADER_BYTES + 1)[offset : offset + size]

    with pytest.raises(CheckpointError, match="header of 64 MiB"):
        read_safetensors(read, 1 << 40)
    assert asked == [8]


def test_a_million_tensors_are_refused_before_anything_is_built_of_them() -> None:
    one = b'"%07d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},'
    header = b"{" + b"".join(one % number for number in range(1_000_000))[:-1] + b"}"
    assert len(header) < MAX_HEADER_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="more than 500000 tensors"):
            read_safetensors(*reader(written(header)))
        assert tracemalloc.get_traced_memory()[1] < 2.5 * len(header)  # the file itself, and the header out of it
    finally:
        tracemalloc.stop()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(tail: bytes, place: int, byte: int) -> None:
    whole = bytearray(written({"a": entry("F16", [2, 3], 0, 12), "b": entry("U8", [4], 12, 16)}, bytes(16)) + tail)
    whole[place % len(whole)] = byte
    try:
        tensors = read_safetensors(*reader(bytes(whole)))
    except CheckpointError:
        return
    assert all(isinstance(t.bytes, int) for t in tensors)


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(max_size=8), lambda s: st.dictionaries(st.text(max_size=8), s)))
def test_any_json_is_read_or_refused(value: object) -> None:
    try:
        read_safetensors(*reader(written(json.dumps(value).encode())))
    except CheckpointError:
        return
    assert isinstance(value, dict)
