"""The text of a config.json → a shape by the formula, for who has no file system at hand."""

from __future__ import annotations

from typing import Final

from gpudoctor.fit.local_shape import shape_of_folder
from gpudoctor.fit.rows import IncompleteRowError
from gpudoctor.fit.shape import Shape
from gpudoctor.readers.model_config import ConfigError, read_model_config
from gpudoctor.readers.quantization_config import read_quantization

# Families whose weights by the shape agree within 0.2 % with the model that transformers builds (tests/fit).
COUNTED: Final = frozenset(
    {
        "apertus", "arcee", "bamba", "bloom", "cohere", "cohere2", "cwm", "deepseek_v2", "deepseek_v3", "deepseek_v32",
        "ernie4_5", "ernie4_5_moe", "exaone4", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "glm", "glm4",
        "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "gpt2", "gpt_neox", "gpt_oss", "gptj", "granite", "granitemoe",
        "helium", "internlm2", "internlm3", "kimi_k2", "llama", "llama4_text", "mimo_v2_flash", "minimax_m2",
        "ministral3", "mistral", "mixtral", "mpt", "nemotron_h", "olmo", "olmo2", "olmo3", "olmoe", "opt", "phi",
        "phi3", "phimoe", "qwen2", "qwen2_moe", "qwen3", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_moe", "qwen3_next",
        "seed_oss", "smollm3", "stablelm", "starcoder2",
    }
)  # fmt: skip


def shape_of_text(text: str, name: str) -> Shape | None:
    """The shape; None where the text is no configuration of a model. The text is foreign: bounded and checked."""
    try:
        config = read_model_config(text.encode("utf-8", "replace"))
        quantization = read_quantization(config.quantization) if config.quantization else None
        return shape_of_folder(config, quantization, (), name)
    except (ConfigError, IncompleteRowError):
        return None
