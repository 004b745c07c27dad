"""Linear attention and state spaces out of a config.json, in their spellings."""

from __future__ import annotations

from typing import NamedTuple

from gpudoctor.readers.model_config import Section


class Linear(NamedTuple):
    """Linear attention: gated delta nets, Kimi's, and lightning attention."""

    key_heads: int | None
    value_heads: int | None
    key_dim: int | None
    value_dim: int | None
    kernel: int = 4


def linear(text: Section) -> Linear:
    """What the decoder says; fields are None where it has no linear attention."""
    kimi = text.section("linear_attn_config")
    if kimi is not None:
        heads, size = kimi.number("num_heads"), kimi.number("head_dim")
        return Linear(heads, heads, size, size, kimi.number("short_conv_kernel_size") or 4)
    if text.numbers("attn_type_list"):  # lightning attention has the heads of the others, and no convolution
        heads, size = text.number("num_attention_heads"), text.number("head_dim")
        return Linear(heads, heads, size, size, 0)
    return Linear(
        text.number("linear_num_key_heads", "linear_num_heads"),
        text.number("linear_num_value_heads", "linear_num_heads"),
        text.number("linear_key_head_dim", "linear_head_dim"),
        text.number("linear_value_head_dim", "linear_head_dim"),
        text.number("linear_conv_kernel_dim") or 4,
    )


class StateSpaceNumbers(NamedTuple):
    """Mamba 2 in its spellings; Mamba 1 (Jamba), which has no heads, as heads of 64."""

    heads: int | None
    head_dim: int
    state: int
    groups: int


def state_space(text: Section) -> StateSpaceNumbers:
    """What the decoder says; `heads` is None where it has no state space."""
    heads = text.number("mamba_num_heads", "mamba_n_heads")
    size = text.number("mamba_head_dim", "mamba_d_head") or 64
    state = text.number("ssm_state_size", "mamba_d_state", "state_size")
    expand = text.number("mamba_expand")
    if heads is None and expand:
        return StateSpaceNumbers(expand * (text.number("hidden_size") or 0) // size, size, state or 16, 1)
    return StateSpaceNumbers(heads, size, state or 128, text.number("n_groups", "mamba_n_groups") or 8)
