"""The shape of the model and a rough bound of its memory (derived from the packaged table or a local config)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class ModelShape(Section, frozen=True, kw_only=True):
    """Shape and plain weights. `weights_*` count parameters times bytes, without cache, activations and overhead."""

    id: Fact[str] = NOT_PROVIDED  # the row of the table that was matched, or the local folder
    resolved_by: Fact[str] = NOT_PROVIDED  # exact | relative (a fine-tune or re-quantised relative) | config
    parameters: Fact[int] = NOT_PROVIDED
    layers: Fact[int] = NOT_PROVIDED
    hidden_size: Fact[int] = NOT_PROVIDED
    intermediate_size: Fact[int] = NOT_PROVIDED
    attention_heads: Fact[int] = NOT_PROVIDED
    kv_heads: Fact[int] = NOT_PROVIDED
    vocab_size: Fact[int] = NOT_PROVIDED
    experts: Fact[int] = NOT_PROVIDED
    quantization: Fact[str] = NOT_PROVIDED  # as stored in the checkpoint, or asked for
    quantization_group_size: Fact[int] = NOT_PROVIDED
    bits_per_weight: Fact[float] = NOT_PROVIDED
    weights_bytes: Fact[int] = NOT_PROVIDED
    weights_bytes_per_gpu: Fact[int] = NOT_PROVIDED  # divided by tp x pp
    legal_tp: Fact[tuple[int, ...]] = NOT_PROVIDED
    illegal_because: Fact[str] = NOT_PROVIDED  # one clause for the TP size asked for; absent not_applicable where legal
    fits_with_4bit: Fact[bool] = NOT_PROVIDED  # plain weights at 4 bit and the usable TP size
    weights_bytes_per_gpu_4bit: Fact[int] = NOT_PROVIDED
