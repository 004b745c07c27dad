"""The shape of the model, the bytes of its weights, and the tensor-parallel sizes that it allows."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, NoReturn

from msgspec.structs import replace

from gpudoctor.data.models import ModelRow
from gpudoctor.derive.model_config import read_config
from gpudoctor.derive.model_format import PLAIN, Format, grouped, named_format, stored_format, weights_bytes
from gpudoctor.derive.model_tp import legal_sizes, obstacles
from gpudoctor.fit.names import resolve
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import ModelShape, Workload

_DERIVED: Final = "derived"
_FOUR_BIT: Final = grouped("awq", 4, 128)
_DEFAULT_SHARE: Final = 0.9  # of a GPU's memory, where the run does not say how much it takes
_BY_LAYERS: Final = {
    "llamacpp": "llama.cpp gives each GPU whole layers unless it is told otherwise",
    "ollama": "Ollama gives each GPU whole layers",
}
_UNEVEN: Final = {"exllamav2": "ExLlamaV2 cuts unevenly"}
# Options that say "as stored in the checkpoint" and not how that is.
_AS_STORED: Final = frozenset({"auto", "compressed-tensors", "modelopt", "gguf", "inc", "torchao"})


class _Model(NamedTuple):
    row: ModelRow
    by: str
    source: str
    form: Format | None  # None: nothing says how the weights are stored
    form_source: str


def derive_model(workload: Workload, gpus_visible: int | None, memory_bytes: int | None = None) -> ModelShape:
    """The model that the workload names.

    Args:
        workload: model, model_config, quantization, dtype, framework, tp and pp are read.
        gpus_visible: bounds the TP size for which the 4-bit weights are counted.
        memory_bytes: memory of the smallest visible GPU; without it nothing is said about fitting.
    """
    name = workload.model.or_none()
    if name is None:
        return ModelShape()
    found = _find(workload, name)
    if found is None:
        return _unknown(workload)
    row = found.row
    facts: dict[str, Fact[Any]] = {
        "id": known(row.id, found.source),
        "resolved_by": known(found.by, _DERIVED),
        "parameters": _number(_parameters(row), "the number of parameters", found.source),
        "layers": _number(row.num_hidden_layers, "the number of layers", found.source),
        "hidden_size": _number(row.hidden_size, "the width", found.source),
        "intermediate_size": _number(row.intermediate_size, "the MLP width", found.source),
        "attention_heads": _number(row.num_attention_heads, "the number of heads", found.source),
        "kv_heads": _kv_heads(row, found.source),
        "vocab_size": _number(row.vocab_size, "the vocabulary", found.source),
        "experts": known(row.num_experts, found.source)
        if row.num_experts
        else absent("not_applicable", "no mixture of experts", found.source),
    }
    facts.update(_quantization(found))
    facts.update(_weights(found, workload))
    facts.update(_legal(found, workload))
    facts.update(_four_bit(found, workload, gpus_visible, memory_bytes))
    return replace(ModelShape(), **facts)


def _find(workload: Workload, name: str) -> _Model | None:
    text = workload.model_config.or_none()
    stored = read_config(text, name) if text is not None else None
    match = resolve(name)
    if stored is not None:
        return _with_form(stored, "config", "config.json", name, workload)
    if match is None:
        return None
    return _with_form(match.row, match.by, f"model table: {match.row.source}"[:300], name, workload)


def _unknown(workload: Workload) -> ModelShape:
    detail = "model not in the table"
    if workload.model_config.known:
        detail = "its config.json gives no shape, and the name is not in the table"
    nothing: Fact[NoReturn] = absent("not_provided", detail, "model table")
    return replace(ModelShape(), **dict.fromkeys(ModelShape.__struct_fields__, nothing))


def _with_form(row: ModelRow, by: str, source: str, name: str, workload: Workload) -> _Model:
    """Add how the weights are stored: the run's option, else the checkpoint's configuration, else the name."""
    option = workload.quantization.or_none()
    own = stored_format(row.quantization_config) if row.quantization_config else None
    named = named_format(name.rpartition("/")[2])
    if option and option.lower() not in _AS_STORED:
        asked = named_format(option) or Format(name=option, linear_bytes=None)
        # Checkpoint and name know more of the same method: the bits and the group size.
        asked = next((f for f in (own, named) if f is not None and f.name == asked.name), asked)
        return _padded(_Model(row, by, source, asked, workload.quantization.source))
    if named is None and workload.framework.or_none() in _BY_LAYERS:
        named = Format(name="gguf", linear_bytes=None)  # a tag or folder that does not say which
    if by in ("exact", "config"):
        return _padded(_Model(row, by, source, own or named or PLAIN, source))
    return _padded(_relative_form(row, by, source, named, own))


def _relative_form(row: ModelRow, by: str, source: str, named: Format | None, own: Format | None) -> _Model:
    """A relative is stored as its own name says; without a word, as its row unless the row's name says otherwise."""
    if named is not None:
        return _Model(row, by, source, own if own and own.name == named.name else named, "name")
    if named_format(row.id) is not None:
        return _Model(row, by, source, None, "")
    return _Model(row, by, source, own or PLAIN, source)


def _padded(found: _Model) -> _Model:
    """Published quantised checkpoints of some models have a wider MLP than the 16-bit ones."""
    width = found.row.quantized_intermediate_size
    if width is None or found.form is None or found.form.group_size is None:
        return found
    return found._replace(row=replace(found.row, intermediate_size=width))


def _parameters(row: ModelRow) -> int | None:
    return row.total_params_computed or (int(row.total_params_reported) if row.total_params_reported else None)


def _number(value: int | None, what: str, source: str) -> Fact[int]:
    return known(value, source) if value is not None else absent("not_provided", f"{what} is not in the source", source)


def _kv_heads(row: ModelRow, source: str) -> Fact[int]:
    if row.kv_lora_rank is not None:
        return absent("not_applicable", "multi-head latent attention has no KV heads to divide", source)
    return _number(row.num_key_value_heads, "the number of KV heads", source)


def _quantization(found: _Model) -> dict[str, Fact[Any]]:
    form = found.form
    if form is None:
        detail = "how this checkpoint is stored is not known"
        return {"quantization": absent("not_provided", detail, _DERIVED)}
    group = form.group_size or form.block_size
    no_group: Fact[int] = absent("not_applicable", "no groups", found.form_source)
    return {
        "quantization": known(form.name, found.form_source),
        "quantization_group_size": known(group, found.form_source) if group else no_group,
    }


def _weights(found: _Model, workload: Workload) -> dict[str, Fact[Any]]:
    parameters = _parameters(found.row)
    plain = 4.0 if workload.dtype.or_none() == "float32" else 2.0
    total = weights_bytes(found.row, parameters, found.form, plain) if parameters and found.form else None
    if parameters is None or total is None:
        nothing: Fact[NoReturn] = absent("not_provided", "parameters or storage format are not known", found.source)
        return dict.fromkeys(("bits_per_weight", "weights_bytes", "weights_bytes_per_gpu"), nothing)
    tp = workload.tp.or_none()
    per_gpu: Fact[int] = (
        known(-(-total // (tp * (workload.pp.or_none() or 1))), _DERIVED)
        if tp
        else absent("not_provided", "no tensor-parallel size", _DERIVED)
    )
    return {
        "bits_per_weight": known(round(total * 8 / parameters, 3), _DERIVED),
        "weights_bytes": known(total, _DERIVED),
        "weights_bytes_per_gpu": per_gpu,
    }


def _legal(found: _Model, workload: Workload) -> dict[str, Fact[Any]]:
    engine = workload.framework.or_none() or ""
    if engine in _BY_LAYERS:
        return dict.fromkeys(("legal_tp", "illegal_because"), absent("not_applicable", _BY_LAYERS[engine], _DERIVED))
    if engine in _UNEVEN:
        return dict.fromkeys(("legal_tp", "illegal_because"), absent("not_provided", _UNEVEN[engine], _DERIVED))
    if not found.row.num_attention_heads:
        return dict.fromkeys(("legal_tp", "illegal_because"), absent("not_provided", "no shape", found.source))
    form = found.form or PLAIN
    because = f"{_DERIVED} from the shape and the divisibility rules of {engine or 'vLLM and SGLang'}"
    tp = workload.tp.or_none()
    clause = next(obstacles(found.row, form, engine, tp), None) if tp else None
    legal: Fact[str] = absent("not_applicable", "this size is possible" if tp else "no size was asked for", _DERIVED)
    return {
        "legal_tp": known(legal_sizes(found.row, form, engine), because),
        "illegal_because": known(clause, because) if clause else legal,
    }


def _four_bit(
    found: _Model, workload: Workload, gpus_visible: int | None, memory_bytes: int | None
) -> dict[str, Fact[Any]]:
    parameters = _parameters(found.row)
    fields = ("fits_with_4bit", "weights_bytes_per_gpu_4bit")
    if parameters is None or not gpus_visible or not found.row.num_attention_heads:
        return dict.fromkeys(fields, absent("not_provided", "parameters or visible GPUs are not known", _DERIVED))
    engine = workload.framework.or_none() or ""
    usable = max(tp for tp in legal_sizes(found.row, PLAIN, engine) if tp <= gpus_visible)
    total = weights_bytes(found.row, parameters, _FOUR_BIT, 2.0) or 0
    per_gpu = -(-total // usable)
    share = workload.gpu_memory_utilization.or_none() or _DEFAULT_SHARE
    fits: Fact[bool] = absent("not_provided", "the memory of the GPUs is not known", _DERIVED)
    if memory_bytes is not None:
        fits = known(per_gpu < memory_bytes * share, _DERIVED)
    return {"weights_bytes_per_gpu_4bit": known(per_gpu, _DERIVED), "fits_with_4bit": fits}
