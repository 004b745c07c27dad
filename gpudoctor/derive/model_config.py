"""A local folder's config.json → the same shape as a row of the model table, with its parameters counted."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from gpudoctor.data.models import ModelRow

# Families whose weights by the shape agree within 0.2 % with the model that transformers builds (tests/fit).
_COUNTED: Final = frozenset(
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


def read_config(text: str, name: str) -> ModelRow | None:
    """The shape that a config.json gives; None where it is no such file."""
    from gpudoctor.fit.config_row import row_of
    from gpudoctor.readers.model_config import ConfigError, read_model_config

    try:
        config = read_model_config(text)
    except ConfigError:
        return None
    row = row_of(config, name)
    if row.num_attention_heads is None:
        return None
    return replace(row, total_params_computed=_count(row) if config.family in _COUNTED else None)


def _count(row: ModelRow) -> int | None:
    """All weights by the shape, without vision towers; None where a number is missing."""
    from gpudoctor.fit.rows import IncompleteRowError, shape_of
    from gpudoctor.fit.tensors import parameters

    try:
        return parameters(shape_of(row)) or None
    except IncompleteRowError:
        return None
