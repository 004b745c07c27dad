"""Heads of GGUF files: what the real library writes, all versions, and what nobody should have written."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.readers.ggml_types import FILE_TYPES, TYPES
from gpudoctor.readers.gguf import read_gguf
from gpudoctor.readers.tensor import CheckpointError
from tests.readers.checkpoints import reader

np = pytest.importorskip("numpy")
gguf = pytest.importorskip("gguf")


def library_file(path: Path, words: int = 300) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_embedding_length(64)
    writer.add_head_count([8, 4])
    writer.add_head_count_kv(2)
    writer.add_context_length(4096)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_token_list([f"word {n} é" for n in range(words)])
    writer.add_token_scores([0.5] * words)
    writer.add_chat_template("{{ messages }}" * 100)
    writer.add_tensor("token_embd.weight", np.zeros((words, 64), np.float16))
    quantised = np.zeros((64, 256), np.float32)
    for kind in (gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_0):
        data = gguf.quants.quantize(quantised, kind)
        writer.add_tensor(f"blk.0.{kind.name}.weight", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_file_of_the_library_is_read_back(tmp_path: Path) -> None:
    data = library_file(tmp_path / "model.gguf").read_bytes()
    found = read_gguf(*reader(data))
    assert (found.version, found.architecture, found.mixture) == (3, "llama", "Q4_K_M")
    assert found.number("block_count") == 2
    assert found.number("nothing", "context_length") == 4096
    assert found.each("attention.head_count", 2) == (8, 4)
    assert found.each("attention.head_count_kv", 2) == (2, 2)
    assert found.each("attention.head_count", 3) is None
    assert found.length("tokenizer.ggml.tokens") == 300
    assert {t.name: (t.kind, t.shape, t.bytes) for t in found.tensors} == {
        "token_embd.weight": ("F16", (300, 64), 300 * 64 * 2),
        "blk.0.Q8_0.weight": ("Q8_0", (64, 256), 64 * 256 * 34 // 32),
        "blk.0.Q4_0.weight": ("Q4_0", (64, 256), 64 * 256 * 18 // 32),
    }


def test_block_sizes_and_mixtures_are_those_of_the_library() -> None:
    for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
        assert (TYPES[kind.value].name, TYPES[kind.value].block, TYPES[kind.value].bytes) == (kind.name, block, size)
    for mixture in gguf.LlamaFileType:
        if mixture.name != "GUESSED":
            plain = mixture.name.removeprefix("MOSTLY_").removeprefix("ALL_").removesuffix("_MOE")
            assert FILE_TYPES[mixture.value] == plain


def test_a_large_vocabulary_is_passed_over_in_pieces(tmp_path: Path) -> None:
    data = library_file(tmp_path / "model.gguf", words=200_000).read_bytes()
    asked: list[tuple[int, int]] = []

    def read(offset: int, size: int) -> bytes:
        asked.append((offset, size))
        return data[offset : offset + size]

    assert read_gguf(read, len(data)).length("tokenizer.ggml.tokens") == 200_000
    assert sum(size for _, size in asked) < 6 << 20  # of a file of 31 MB
    assert [start for start, _ in asked] == sorted(start for start, _ in asked)


def composed(version: int, order: str = "<", tensors: tuple[tuple[str, tuple[int, ...], int, int], ...] = ()) -> bytes:
    """A file by hand: GGUF of version 1 had 32-bit lengths and dimensions."""
    length = f"{order}{'I' if version == 1 else 'Q'}"

    def text(value: str) -> bytes:
        return struct.pack(length, len(value.encode())) + value.encode()

    body = struct.pack(length, len(tensors)) + struct.pack(length, 3)
    body += text("general.architecture") + struct.pack(order + "I", 8) + text("llama")
    body += text("llama.block_count") + struct.pack(order + "II", 4, 7)
    body += text("llama.words") + struct.pack(order + "II", 9, 8) + struct.pack(length, 2) + text("a") + text("bc")
    for name, sizes, kind, offset in tensors:
        body += text(name) + struct.pack(f"{order}I{len(sizes)}{length[1]}", len(sizes), *sizes)
        body += struct.pack(order + "IQ", kind, offset)
    head = b"GGUF" + struct.pack(order + "I", version) + body
    return head + bytes(-len(head) % 32)


@pytest.mark.parametrize(("version", "order"), [(1, "<"), (2, "<"), (3, "<"), (3, ">")])
def test_every_version_is_read(version: int, order: str) -> None:
    data = composed(version, order, (("output.weight", (256, 10), 12, 0),)) + bytes(1440)
    found = read_gguf(*reader(data))
    assert (found.version, found.number("block_count"), found.length("llama.words")) == (version, 7, 2)
    assert [(t.name, t.kind, t.shape, t.bytes) for t in found.tensors] == [("output.weight", "Q4_K", (10, 256), 1440)]


def entry(name: bytes, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + value


def metadata(value: bytes, keys: int = 1, tensors: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + value + bytes(64)


HUGE = 1 << 63
BROKEN = {
    "empty": (b"", "no GGUF"),
    "another format": (b"PK\x03\x04" + bytes(100), "no GGUF"),
    "old ggml": (b"lmgg" + bytes(100), "no GGUF"),
    "only the magic": (b"GGUF", "ends within"),
    "version 4": (b"GGUF\x04\0\0\0" + bytes(40), "version 4"),
    "2^63 tensors": (b"GGUF" + struct.pack("<IQQ", 3, HUGE, 0), "tensors"),
    "a million tensors": (b"GGUF" + struct.pack("<IQQ", 3, 1_000_000, 0), "1000000 tensors"),
    "2^63 keys": (b"GGUF" + struct.pack("<IQQ", 3, 0, HUGE), "metadata entries"),
    "a name of 2^63 bytes": (metadata(struct.pack("<Q", HUGE)), "bytes in a name"),
    "a text of 2^63 bytes": (metadata(entry(b"k", 8, struct.pack("<Q", HUGE))), "bytes in a name"),
    "an array of 2^63 items": (metadata(entry(b"k", 9, struct.pack("<IQ", 4, HUGE))), "items in an array"),
    "an array longer than the file": (metadata(entry(b"k", 9, struct.pack("<IQ", 4, 1 << 20))), "ends within"),
    "strings longer than the file": (metadata(entry(b"k", 9, struct.pack("<IQQ", 8, 2, HUGE))), "ends within"),
    "more strings than bytes": (metadata(entry(b"k", 9, struct.pack("<IQ", 8, 1 << 20))), "ends within"),
    "arrays within arrays": (metadata(entry(b"k", 9, struct.pack("<IQIQ", 9, 1, 9, 1))), "arrays within arrays"),
    "an unknown type": (metadata(entry(b"k", 77, b"")), "unknown type 77"),
    "an array of an unknown type": (metadata(entry(b"k", 9, struct.pack("<IQ", 77, 1))), "unknown type 77"),
    "an alignment of nothing": (metadata(entry(b"general.alignment", 4, struct.pack("<I", 0))), "alignment"),
    "an alignment of words": (metadata(entry(b"general.alignment", 8, struct.pack("<Q", 1) + b"x")), "alignment"),
    "an unknown tensor type": (composed(3, tensors=(("w\x1b[2J", (32,), 999, 0),)), "'w\\x1b[2J', of the unknown"),
    "a dimension of 2^63": (composed(3, tensors=(("w", (HUGE,), 0, 0),)), "dimension of"),
    "a product beyond any file": (composed(3, tensors=(("w", (1 << 40, 1 << 40), 0, 0),)), "more elements"),
    "too many dimensions": (composed(3, tensors=(("w", (1,) * 9, 0, 0),)), "9 dimensions"),
    "half a block": (composed(3, tensors=(("w", (33,), 2, 0),)), "whole number of Q4_0"),
    "an offset of 2^63": (composed(3, tensors=(("w", (32,), 0, HUGE),)), "cut off"),
    "overlap": (composed(3, tensors=(("a", (32,), 0, 0), ("b", (32,), 0, 64))) + bytes(512), "overlaps"),
    "cut off": (composed(3, tensors=(("a", (1024,), 0, 0),)) + bytes(100), "cut off: 100 of 4096"),
}


@pytest.mark.parametrize(("data", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named_with_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(CheckpointError) as error:
        read_gguf(*reader(data))
    assert words in str(error.value)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400


def test_a_header_without_end_is_left_after_a_bounded_part() -> None:
    head = metadata(entry(b"k", 9, struct.pack("<IQ", 8, 1 << 24)))[:-64]
    asked: list[int] = []

    def read(offset: int, size: int) -> bytes:
        asked.append(size)
        return (head[offset : offset + size] + bytes(size))[:size]

    with pytest.raises(CheckpointError, match="header of more than 128 MiB"):
        read_gguf(read, 1 << 40)
    assert max(asked) == 1 << 20
    assert len(asked) < 200


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=9), st.integers(0, 400))
def test_a_damaged_file_is_read_or_refused(place: int, noise: bytes, cut: int) -> None:
    whole = bytearray(composed(3, tensors=(("a", (64,), 0, 0), ("b", (256, 3), 14, 256))) + bytes(256 + 630))
    place %= len(whole)
    whole[place : place + len(noise)] = noise
    data = bytes(whole[: len(whole) - cut])
    try:
        found = read_gguf(*reader(data))
    except CheckpointError:
        return
    assert all(t.bytes >= 0 for t in found.tensors)


def test_noise_is_read_or_refused() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        data = b"GGUF" + struct.pack("<IQQ", chance.choice([1, 2, 3]), chance.randrange(4), chance.randrange(4))
        data += bytes(chance.choices([0, 0, 0, 1, 4, 8, 9, 255], k=chance.randrange(200)))
        try:
            read_gguf(*reader(data))
        except CheckpointError:
            continue
