"""How large the encoder of images or sound is, by its configuration; exact only where the headers can be counted."""

from __future__ import annotations

from typing import NamedTuple

from gpudoctor.readers.model_config import ModelConfig, Section


class TowerSize(NamedTuple):
    """Parameters of encoder and projector together, and heads of the encoder."""

    parameters: int
    projector: int
    heads: int


def tower_size(config: ModelConfig) -> TowerSize | None:
    """A plain transformer of the stated width and depth; None where there is no encoder or no number."""
    hidden = config.language.number("hidden_size", "n_embd", "d_model") or 0
    parts = [_encoder(part, hidden) for part in (config.vision, config.audio) if part is not None]
    found = [part for part in parts if part is not None]
    if not found:
        return None
    return TowerSize(sum(p.parameters for p in found), sum(p.projector for p in found), found[0].heads)


def _encoder(part: Section, language_hidden: int) -> TowerSize | None:
    number = part.number
    width = number("embed_dim", "hidden_size", "d_model", "width")
    depth = number("depth", "num_hidden_layers", "encoder_layers", "layers")
    if not width or not depth:
        return None
    ratio = part.real("mlp_ratio") or 4.0
    inner = number("intermediate_size", "encoder_ffn_dim") or int(width * ratio)
    gated = part.text("hidden_act").lower() in ("silu", "swish") or part.text("model_type").startswith("pixtral")
    layer = 4 * width * width + (3 if gated else 2) * width * inner + 4 * width
    patch = number("patch_size") or 14
    frames = number("temporal_patch_size") or 1
    positions = number("num_position_embeddings") or ((number("image_size") or 0) // patch) ** 2
    embedding = (3 * frames * patch * patch + positions) * width
    merged = width * (number("spatial_merge_size") or 1) ** 2
    out = number("out_hidden_size", "output_dim") or language_hidden
    projector = merged * merged + merged * out if merged != width else width * out + out * out
    heads = number("num_heads", "num_attention_heads", "encoder_attention_heads") or 0
    return TowerSize(depth * layer + embedding + projector, projector, heads)
