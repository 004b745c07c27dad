"""The class of a tensor by its name: the names of Hugging Face checkpoints, of their packed forms, and of GGUF.

Sources: modelling files of https://github.com/huggingface/transformers and the checkpoints' own remote code;
gguf-py/gguf/constants.py of llama.cpp; read 2026-11-21.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from gpudoctor.fit.shape import TensorClass

# Two classes in one tensor: rows of query, key and value, or of MLA's two projections downwards.
Fused = Literal["qkv"]

_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blocks?|blk|encoder_layers)\.(\d+)\.")
_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")
_VISION = re.compile(
    r"^(?:model\.|thinker\.|transformer\.|language_model\.(?=visual))?"
    r"(?:vision|visual|vit|image|multi_modal|multimodal|mm_|mm\.|v\.|a\.|resampler|patch_merger|pre_mm|mlp1\.|sam_model|"
    r"projector|connector|aligner|embed_vision|embed_audio|audio|speech|conformer|vqmodel|vpm|merger|talker|token2wav|"
    r"code2wav|tower)"
)
# The first that is found in the name without its numbers decides; the order matters.
_PATTERNS: Final[tuple[tuple[str, TensorClass | Fused], ...]] = (
    (r"(?:^|\.)mtp\.|\.nextn\.|\.(?:eh_proj|enorm|hnorm|shared_head)\.", "mtp"),
    (r"rotary|rope_freqs|inv_freq|rope_factors", "norm"),
    (r"indexer|compressor", "indexer"),
    (r"(?:^|\.)(?:embed_tokens|wte|word_embeddings|tok_embeddings|token_embd|embed_in|embeddings?)\.", "embedding"),
    (r"(?:^|\.)wpe\.|per_layer|altup|laurel|position_embd|embed_positions|token_types", "norm"),
    (r"(?:^|\.)(?:lm_head|embed_out|output_layer)\.|^output\.(?!norm)|^(?:model\.|transformer\.)output\.", "lm_head"),
    (r"shared_expert_gate|ffn_gate_inp_shexp", "router"),
    (r"shared_experts?\.|shared_mlp\.|_shexp\.|shared_head_mlp", "shared_experts"),
    (r"(?:\.|^)(?:router|gate_inp)\.|ffn_gate_inp|e_score_correction|exp_probs_b|moe_statics|\.gate\.wg\.", "router"),
    (r"experts|_(?:ch)?exps\.|block_sparse_moe\.(?:input|output)_linear|\.moe\.(?:gate|up|down)_proj", "experts"),
    (r"(?:mlp|block_sparse_moe|moe|ffn|feed_forward|mixer)\.(?:gate|router)\.(?!proj)", "router"),
    (r"(?:q_a|kv_a|fused_qkv_a|attn_q_a|attn_kv_a|wq_a|wkv(?:_a)?|q_down|kv_down)(?:_proj|_mqa|_proj_with_mqa)?\.",
     "latent_down"),
    (r"(?:q_b|kv_b|attn_q_b|attn_kv_b|attn_k_b|attn_v_b|wq_b|wkv_b|q_up|kv_up)(?:_proj)?\.", "latent_up"),
    (r"linear_attn|\.mamba|\.ssm_|ssm\.|mixer\.(?:in_proj|out_proj|conv1d|A_log|D|dt_bias)|\.(?:A_log|dt_bias)$|"
     r"conv1d|short_?conv|attn_gate\.|recurrent|\.kda\.|\.conv\.|time_mix|decay|output_gate|forget_gate|temporal_block|"
     r"[bf]_proj\.|[fg]_[ab]_proj|slope_rate|(?:dt|x)_proj\.", "mixer_state"),
    (r"norm|(?:^|\.)ln_?[f\d]|layernorm|\.ln\.", "norm"),
    (r"qkv|query_key_value|c_attn|Wqkv|in_proj_weight", "qkv"),
    (r"(?:q_proj|attn_q|\.wq|self_attn\.[qg]|attention\.query)(?:_proj)?\.", "query"),
    (r"(?:[kv]_proj|attn_[kv]|\.w[kv]|attention\.(?:key|value))\.", "key_value"),
    (r"(?:o_proj|out_proj|attn_output|attn_out|attention\.dense|self_attention\.dense|self_attn\.dense|attn\.c_proj|"
     r"\.[wW]o(?:_[ab])?|attn\.proj|attention\.o)\.|attn\.dense", "attention_out"),
    (r"sinks?_bias|sinks", "norm"),
    (r"mlp|ffn|feed_forward|dense_h_to_4h|dense_4h_to_h|\.fc[12]\.|up_proj|down_proj|gate_proj|gate_up|"
     r"(?:^|\.)w[123]\.|c_fc|channel_mix", "mlp"),
)  # fmt: skip
_COMPILED: Final = tuple((re.compile(pattern), kind) for pattern, kind in _PATTERNS)
_SCALE = re.compile(
    r"(?:scales?(?:_inv|_2|_\d)?|qzeros|zeros|zero_point|absmax|quant_map|quant_state\.[\w.]*|g_idx|q_scale_max|q_groups|"
    r"q_perm|q_invperm|su[h]?|sv[h]?|global_scale|weight_shape|input_scale|_blocks|weight_packed|qweight|q_weight|trellis|"
    r"SCB|codebooks|codes)$"
)


_MAX_FORMS: Final = 5000  # real checkpoints have some dozens


class Named(NamedTuple):
    """What a name says: `kind` is None where nothing is recognised."""

    kind: TensorClass | Fused | None
    layer: int | None
    packed: bool  # a packed weight or what belongs to one, whatever its type


class Namer:
    """Names of one checkpoint. Names that differ in their numbers only are looked at once."""

    def __init__(self, layers: int) -> None:
        self._layers = layers
        self._seen: dict[str, tuple[TensorClass | Fused | None, bool]] = {}

    def look_up(self, name: str) -> Named:
        """The class and the layer of a tensor."""
        found = _LAYER.search(name)
        layer = int(found.group(1)) if found and len(found.group(1)) < 6 else None
        plain = _NUMBER.sub("#", name)
        known = self._seen.get(plain)
        if known is None and len(self._seen) >= _MAX_FORMS:
            known = (None, False)  # no network has so many kinds of tensors: what the rest is called does not matter
        elif known is None:
            known = self._seen[plain] = (_kind(plain), bool(_SCALE.search(plain)))
        kind, packed = known
        if kind == "vision":
            return Named(kind, None, packed)
        if layer is not None and layer >= self._layers:  # DeepSeek and GLM append the layer that guesses ahead
            return Named("mtp", None, packed)
        return Named(kind, layer, packed)


def _kind(name: str) -> TensorClass | Fused | None:
    if _VISION.search(name):
        return "vision"
    return next((kind for pattern, kind in _COMPILED if pattern.search(name)), None)
