"""GGUF file sizes against llama.cpp's own tables (tools/quantize/README.md) and published files."""

from __future__ import annotations

import pytest

from gpudoctor.fit.gguf import gguf_sizes, known_type
from gpudoctor.fit.identify import identify
from tests.fit.cases import GIB

SEVENTY = {
    "IQ1_S": 14.29, "IQ1_M": 15.60, "IQ2_XXS": 17.79, "IQ2_XS": 19.69, "IQ2_S": 20.71, "IQ2_M": 22.46,
    "Q2_K_S": 22.79, "Q2_K": 24.56, "IQ3_XXS": 25.58, "IQ3_XS": 27.29, "Q3_K_S": 28.79, "IQ3_S": 28.79,
    "IQ3_M": 29.74, "Q3_K_M": 31.91, "Q3_K_L": 34.59, "IQ4_XS": 35.30, "Q4_0": 37.22, "IQ4_NL": 37.30,
    "Q4_K_S": 37.58, "Q4_K_M": 39.60, "Q5_K_S": 45.32, "Q5_K_M": 46.52, "Q6_K": 53.91, "Q8_0": 69.83, "F16": 131.43,
}  # fmt: skip
OTHERS = [
    ("meta-llama/Meta-Llama-3-8B", "Q4_K_M", 4.58),
    ("meta-llama/Meta-Llama-3-8B", "Q8_0", 7.95),
    ("meta-llama/Meta-Llama-3-8B", "IQ4_XS", 4.14),
    ("openai/gpt-oss-120b", "MXFP4", 59.02),
    ("deepseek-ai/DeepSeek-R1", "Q4_K_M", 376.65),
]


@pytest.mark.parametrize(("kind", "size"), SEVENTY.items())
def test_every_type_of_a_70b_file(kind: str, size: float) -> None:
    assert gguf_sizes(identify("meta-llama/Meta-Llama-3-70B").shape, kind).file / GIB == pytest.approx(size, rel=1e-3)


@pytest.mark.parametrize(("model", "kind", "size"), OTHERS)
def test_other_files(model: str, kind: str, size: float) -> None:
    assert gguf_sizes(identify(model).shape, kind).file / GIB == pytest.approx(size, rel=2.5e-3)


def test_a_tied_model_has_its_output_on_the_gpu_all_the_same() -> None:
    found = gguf_sizes(identify("google/gemma-2-2b").shape, "Q4_K_M")
    assert found.tied
    assert found.output > 0
    assert found.file == found.embedding + sum(found.layers)


def test_rows_that_are_no_whole_number_of_blocks_fall_back() -> None:
    shape = identify("Qwen/Qwen2.5-0.5B").shape  # 896 columns: no multiple of 256
    assert gguf_sizes(shape, "Q4_K_M").file > 0.5 * gguf_sizes(shape, "Q8_0").file


@pytest.mark.parametrize(("name", "known"), [("Q4_K_M", True), ("Q4_K_XL", True), ("Q9_Z", False), ("", False)])
def test_types_that_can_be_counted(name: str, known: bool) -> None:
    assert known_type(name) is known
