"""The index of a sharded checkpoint."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.safetensors_index import read_safetensors_index
from gpudoctor.readers.tensor import CheckpointError


def test_shards_are_named_once_and_in_order() -> None:
    text = json.dumps(
        {
            "metadata": {"total_size": 123456},
            "weight_map": {"b": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors",
                           "c": "model-00002-of-00002.safetensors"},
        }
    )  # fmt: skip
    index = read_safetensors_index(text.encode())
    assert index.shards == ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    assert (index.tensors, index.total_bytes) == (3, 123456)


@pytest.mark.parametrize("total", [None, -1, 0, 1e300, 1 << 62])
def test_an_impossible_total_is_none(total: float | None) -> None:
    text = json.dumps({"metadata": {"total_size": total}, "weight_map": {"a": "m.safetensors"}})
    assert read_safetensors_index(text.encode()).total_bytes is None


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../x.safetensors", "a/b.safetensors", "x.bin", "x\0.safetensors", "a" * 300]
)
def test_names_outside_of_the_folder_are_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match="no safetensors file of its own folder"):
        read_safetensors_index(json.dumps({"weight_map": {"w": name}}).encode())


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"weight_map": 3}', b'{"weight_map": {"a": 1}}', b"\xff", b'{"a":' * 100_000]
)
def test_what_is_no_index_is_refused(text: bytes) -> None:
    with pytest.raises(CheckpointError, match="no index"):
        read_safetensors_index(text)


def test_a_million_tensors_are_refused() -> None:
    one = b'"%07d":"m.safetensors",'
    text = b'{"weight_map":{' + b"".join(one % number for number in range(1_000_000))[:-1] + b"}}"
    with pytest.raises(CheckpointError, match="more than 500000"):
        read_safetensors_index(text)


@given(st.binary(max_size=200))
def test_noise_is_read_or_refused(data: bytes) -> None:
    try:
        read_safetensors_index(data)
    except CheckpointError:
        return
