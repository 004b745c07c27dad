"""Names of quantisation, and bytes of packed matrices counted by hand."""

from __future__ import annotations

import pytest

from gpudoctor.data.models import StoredQuantization
from gpudoctor.fit.packing import named, packed_bytes, says_plain, stored, usual
from gpudoctor.fit.shape import Packing


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("awq", "awq"), ("Qwen2.5-72B-Instruct-AWQ", "awq"), ("gptq-4bit", "gptq-4bit"), ("x-GPTQ-Int8", "gptq-8bit"),
        ("Qwen2.5-7B-Instruct-GPTQ-Int4", "gptq-4bit"), ("Llama-3.3-70B-FP8-dynamic", "fp8"), ("bnb-nf4", "bnb-nf4"),
        ("unsloth/Llama-3.1-8B-bnb-4bit", "bnb-nf4"), ("bitsandbytes", "bnb-nf4"), ("mxfp4", "mxfp4"),
        ("DeepSeek-R1-NVFP4", "nvfp4"), ("x-w4a16", "int4"), ("x-quantized.w8a8", "int8"), ("x-w8a16", "gptq-8bit"),
        ("exl2:4.0", "exl2:4.0"), ("exl3:3.5", "exl3:3.5"), ("Llama-3-70B-4.65bpw-exl2", "exl2:4.65"),
        ("x-exl3-3.0bpw", "exl3:3.0"), ("gguf:Q4_K_M", "gguf:Q4_K_M"), ("Llama-3.3-70B-Instruct-Q4_K_M", "gguf:Q4_K_M"),
        ("x.IQ2_XXS.gguf", "gguf:IQ2_XXS"), ("gguf:F16", "gguf:F16"), ("gguf:MXFP4", "gguf:MXFP4"), ("int8", "int8"),
        ("gguf:Q8_0", "gguf:Q8_0"), ("UD-Q4_K_XL", "gguf:Q4_K_XL"),
    ],
)  # fmt: skip
def test_a_name_tells_its_packing(text: str, method: str) -> None:
    found = named(text)
    assert found is not None
    assert found.method == method


@pytest.mark.parametrize("text", ["Llama-3.1-70B-Instruct", "", "Qwen3-32B", "bf16", "x" * 10_000, "exl2:99", "gguf"])
def test_other_names_tell_none(text: str) -> None:
    assert named(text) is None


@pytest.mark.parametrize(
    ("text", "plain"), [("bf16", True), ("x-BF16", True), ("none", True), ("awq", False), ("", False)]
)
def test_plain_floats_are_told_apart(text: str, plain: bool) -> None:
    assert says_plain(text) is plain


@pytest.mark.parametrize(
    ("packing", "expected"),
    [
        (usual("fp8"), 256 * 1024 + 4 * 256),
        (Packing(method="fp8", block_size=128), 256 * 1024 + 4 * 2 * 8),
        (usual("int8"), 256 * 1024 + 4 * 256),
        (usual("awq"), 128 * 1024 + 2 * 8 * 256 + 8 * 256 // 2),
        (usual("gptq-8bit"), 256 * 1024 + 2 * 8 * 256 + 8 * 256),
        (Packing(method="gptq-4bit", group_size=-1), 128 * 1024 + 2 * 256 + 128),
        (Packing(method="gptq-4bit", group_size=128, act_order=True), 128 * 1024 + 2 * 8 * 256 + 1024 + 4 * 1024),
        (usual("int4"), 128 * 1024 + 2 * 8 * 256),
        (usual("mxfp4"), 128 * 1024 + 256 * 32),
        (usual("nvfp4"), 128 * 1024 + 256 * 64 + 8),
        (usual("bnb-nf4"), 128 * 1024 + 256 * 16 + 4 * 16 + 1088),
        (usual("exl2:4.0"), 128 * 1024),
        (usual("exl3:2.5"), 256 * 1024 * 5 // 16),
    ],
    ids=lambda value: value.method if isinstance(value, Packing) else "",
)
def test_bytes_by_hand(packing: Packing, expected: int) -> None:
    assert packed_bytes(packing, 256, 1024) == expected


def test_marlin_drops_zero_points() -> None:
    whole, without = (packed_bytes(usual("gptq-4bit"), 256, 1024, zero_points=zeros) for zeros in (True, False))
    assert whole - without == 8 * 256 // 2


@pytest.mark.parametrize(
    ("config", "method", "block", "group"),
    [
        (StoredQuantization(quant_method="fp8", weight_block_size=(128, 128)), "fp8", 128, None),
        (StoredQuantization(quant_method="awq", bits=4, group_size=64), "awq", None, 64),
        (StoredQuantization(quant_method="gptq", bits=8), "gptq-8bit", None, 128),
        (StoredQuantization(quant_method="compressed-tensors", format="float-quantized"), "fp8", None, None),
        (StoredQuantization(quant_method="compressed-tensors", format="pack-quantized", bits=4, group_size=32), "int4",
         None, 32),
        (StoredQuantization(quant_method="modelopt", quant_algo="NVFP4"), "nvfp4", None, 16),
        (StoredQuantization(quant_method="mxfp4"), "mxfp4", None, 32),
    ],
)  # fmt: skip
def test_a_configuration_tells_more(
    config: StoredQuantization, method: str, block: int | None, group: int | None
) -> None:
    found = stored(config)
    assert found is not None
    assert (found.method, found.block_size, found.group_size) == (method, block, group)


def test_an_unknown_method_is_none() -> None:
    assert stored(StoredQuantization(quant_method="quip")) is None
