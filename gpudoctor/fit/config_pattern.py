"""Which kind of layer each one is, in the dozen ways in which config.json files say it → letters as in the model table.

Sources: configuration classes of https://github.com/huggingface/transformers (models/*/configuration_*.py) and the
models of vLLM, read 2026-11-21.
"""

from __future__ import annotations

from typing import Final

from gpudoctor.readers.model_config import Section

_STEPS: Final = {"gemma2": 2, "gemma3": 6, "gemma3_text": 6, "gemma3n": 5, "gemma3n_text": 5, "cohere2": 4}
_WORDS: Final = (
    ("compressed_sparse", "c"), ("heavily_compressed", "h"), ("sliding", "S"), ("local", "S"), ("swa", "S"),
    ("chunk", "C"), ("linear", "L"), ("kda", "L"), ("delta", "L"), ("lightning", "L"), ("conv", "L"), ("cross", "X"),
    ("hybrid", "F"), ("mamba", "m"), ("ssm", "m"), ("recurrent", "m"), ("moe", "E"), ("mlp", "-"), ("attention", "F"),
    ("full", "F"), ("global", "F"),
)  # fmt: skip
# In these every layer is either a mixer or a feed-forward part.
_ALONE: Final = {"nemotron_h": {"F": "*", "m": "M", "L": "M"}, "deepseek_v4": {"S": "W"}}
_MAMBA: Final = ("mamba_n_heads", "mamba_num_heads", "mamba_d_state", "mamba_expand")
_STATE_SPACES: Final = ("bamba", "jamba", "granitemoehybrid", "mamba", "mamba2", "falcon_mamba", "codestral_mamba")


def layer_pattern(config: Section, family: str, layers: int) -> str:
    """One letter a layer; "" where every layer has full attention and a feed-forward part."""
    found = (
        _letters(config, layers)
        or _listed(config, family, layers)
        or _compressed(config, layers)
        or _mixed(config, family, layers)
        or _by_position(config, layers)
        or _windowed(config, family, layers)
    )
    return found if set(found) != {"F"} else ""


def _letters(config: Section, layers: int) -> str:
    """Nemotron-H writes the letters itself: M, *, - and E, one a layer."""
    written = config.text("hybrid_override_pattern").replace("|", "")
    return written if len(written) == layers and set(written) <= set("M*-E") else ""


def _listed(config: Section, family: str, layers: int) -> str:
    words = config.texts("layer_types", "layers_block_type", "layer_block_types", "block_types")
    if words and (len(words) >= layers or layers % len(words) == 0):  # RecurrentGemma lists one group
        letters = "".join(_letter(words[i % len(words)], family) for i in range(layers))
        # transformers 5 calls every mixer with a state of fixed size linear attention.
        return letters.replace("L", "m") if config.number(*_MAMBA) else letters
    for name, no, yes in (("attn_type_list", "L", "F"), ("hybrid_layer_pattern", "F", "S")):  # MiniMax-01, MiMo V2
        numbers = config.numbers(name)
        if len(numbers) >= layers:
            return "".join(yes if n else no for n in numbers[:layers])
    return ""


def _letter(word: str, family: str) -> str:
    low = word.lower()
    letter = next((letter for part, letter in _WORDS if part in low), "F")
    return _ALONE.get(family, {}).get(letter, letter)


def _compressed(config: Section, layers: int) -> str:
    """DeepSeek V4: tokens in one cache entry, by layer; 0 and 1 mean nothing but the window."""
    ratios = config.numbers("compress_ratios")
    return "".join("c" if n == 4 else "h" if n > 4 else "W" for n in ratios[:layers]) if len(ratios) >= layers else ""


def _mixed(config: Section, family: str, layers: int) -> str:
    """Attention in some layers, a state of fixed size in the others."""
    interval = config.number("full_attention_interval") or (4 if family == "qwen3_next" else None)
    if interval:
        return "".join("F" if (i + 1) % interval == 0 else "L" for i in range(layers))
    linear = config.section("linear_attn_config")
    if linear is not None and (full := linear.numbers("full_attn_layers")):  # Kimi Linear counts from 1
        return "".join("F" if i + 1 in full else "L" for i in range(layers))
    period = config.number("attn_layer_period")
    if period:
        offset = config.count("attn_layer_offset") or 0
        return "".join("F" if i % period == offset else "m" for i in range(layers))
    indices = config.numbers("attn_layer_indices")
    if indices or family in _STATE_SPACES:
        alone = "M" if not config.number("num_attention_heads") or "mamba" in family else "m"
        return "".join("F" if i in indices else alone for i in range(layers))
    return ""


def _by_position(config: Section, layers: int) -> str:
    if config.number("attention_chunk_size"):
        return _chunked(config, layers)
    crossed = config.numbers("cross_attention_layers")  # Llama 3.2 Vision
    return "".join("X" if i in crossed else "F" for i in range(layers)) if crossed else ""


def _windowed(config: Section, family: str, layers: int) -> str:
    if not config.number("sliding_window") or config.flag("use_sliding_window") is False:
        return ""
    if family.startswith("qwen") and config.flag("use_sliding_window") is not True:
        return ""  # written down, and used only where it is switched on
    written = config.text("sliding_window_pattern").upper()
    if written:  # EXAONE 4: LLLG, and the last layer is always global
        return "".join("F" if written[i % len(written)] == "G" or i == layers - 1 else "S" for i in range(layers))
    step = config.number("sliding_window_pattern", "_sliding_window_pattern") or _STEPS.get(family)
    if step:
        return "".join("F" if (i + 1) % step == 0 else "S" for i in range(layers))
    first = config.count("max_window_layers") or 0
    return "".join("S" if i >= first else "F" for i in range(layers))


def _chunked(config: Section, layers: int) -> str:
    """Llama 4: layers with rotary positions look at their own chunk only."""
    rotary = config.numbers("no_rope_layers")  # in spite of its name 1 means that there are rotary positions
    if len(rotary) >= layers:
        return "".join("C" if n else "F" for n in rotary[:layers])
    step = config.number("no_rope_layer_interval") or 4
    return "".join("F" if (i + 1) % step == 0 else "C" for i in range(layers))
