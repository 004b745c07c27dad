"""A row of the packaged table → a `Shape`. What a row leaves open is assumed as its family does it, and said."""

from __future__ import annotations

from itertools import cycle, islice

from gpudoctor.data.models import ModelRow
from gpudoctor.errors import GpudoctorError
from gpudoctor.fit.row_layers import feed_forward, mixer
from gpudoctor.fit.shape import Layer, Shape, Tower

_ALONE_FEED_FORWARD = "-E"  # letters of layers that have no mixer
_ALONE_MIXER = "M*"
_FOUR_NORMS = ("gemma-2", "gemma-3", "gemma-4")
_ONE_NORM = ("cohere", "falcon", "phi", "gptj")  # attention and feed-forward part side by side
_TIED = ("gemma", "cohere", "command-r", "aya", "falcon", "granite", "opt", "bloom", "gpt2")


class IncompleteRowError(GpudoctorError):
    """The row does not have what a shape needs; the message says which."""


def shape_of(row: ModelRow) -> Shape:
    """The shape that a row gives.

    Raises:
        IncompleteRowError: hidden size, layers, vocabulary or heads are not in it.
    """
    missing = [name for name in ("hidden_size", "num_hidden_layers", "vocab_size") if not getattr(row, name)]
    if missing:
        raise IncompleteRowError(f"the table does not have {', '.join(missing)} of {row.id}")
    hidden, vocab = row.hidden_size or 0, row.vocab_size or 0
    return Shape(
        id=row.id,
        source=row.source,
        family=row.model_type,
        hidden=hidden,
        vocab=vocab,
        layers=_layers(row),
        tied=_tied(row),
        dtype_bytes=4.0 if row.torch_dtype == "float32" and "OLMo" not in row.id else 2.0,
        max_positions=row.max_position_embeddings,
        rope_dim=row.rope_dim if row.rope_dim is not None else row.qk_rope_head_dim,
        learned_positions=row.learned_positions,
        tower=_tower(row),
        mtp_layers=row.num_nextn_predict_layers or 0,
        parameters_reported=int(row.total_params_reported) if row.total_params_reported else None,
        assumptions=_assumptions(row),
    )


def _layers(row: ModelRow) -> tuple[Layer, ...]:
    depth = row.num_hidden_layers or 0
    letters = list(islice(cycle(row.layer_pattern or "F"), depth))
    if row.model_type == "kimi_k3" and depth:
        letters[-1] = "F"
    seen: dict[tuple[str, object], Layer] = {}
    found = []
    for index, letter in enumerate(letters):
        part = feed_forward(row, index, letter) if letter not in _ALONE_MIXER else None
        key = (letter, part)
        if key not in seen:
            seen[key] = Layer(
                mixer=None if letter in _ALONE_FEED_FORWARD else mixer(row, letter),
                feed_forward=part,
                norms=_norms(row, letter),
            )
        found.append(seen[key])
    return tuple(found)


def _norms(row: ModelRow, letter: str) -> int:
    if letter in "M*E-" and row.model_type in ("nemotron_h", "nemotron-nas"):
        return 1
    if any(name in row.id.lower() for name in _FOUR_NORMS):
        return 4
    return 1 if row.model_type in _ONE_NORM else 2


def _tied(row: ModelRow) -> bool:
    if row.tie_word_embeddings is not None:
        return row.tie_word_embeddings
    return row.model_type.startswith(_TIED) or any(name in row.id.lower() for name in _TIED)


def _tower(row: ModelRow) -> Tower | None:
    if not row.tower_parameters:
        return None
    return Tower(
        parameters=row.tower_parameters,
        projector_parameters=row.tower_projector_parameters,
        heads=row.tower_heads,
    )


def _assumptions(row: ModelRow) -> tuple[str, ...]:
    found = []
    if row.tie_word_embeddings is None:
        found.append(f"output projection {'shared with' if _tied(row) else 'separate from'} the embedding")
    if row.num_attention_heads and not row.num_key_value_heads and not row.kv_lora_rank:
        found.append("as many KV heads as attention heads")
    return tuple(found)
