"""The shape of the model, the bytes of its weights, and the tensor-parallel sizes that it allows."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.errors import UsageError
from gpudoctor.fit.config_text import COUNTED, shape_of_text
from gpudoctor.fit.identify import Identified, asked_packing, identify, of_local
from gpudoctor.fit.legality import legal_sizes, obstacles
from gpudoctor.fit.packing import AS_STORED, named, says_plain, usual
from gpudoctor.fit.question import ENGINES, Engine, Question
from gpudoctor.fit.shape import Attention, Dense, Experts, LatentAttention, Packing, Shape
from gpudoctor.fit.tensors import parameters
from gpudoctor.fit.weights import whole_bytes
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts import ModelShape, Workload

_DERIVED: Final = "derived"
_DEFAULT_SHARE: Final = 0.9  # of a GPU's memory, where the run does not say how much it takes
_BY_LAYERS: Final = {
    "llamacpp": "llama.cpp gives each GPU whole layers unless it is told otherwise",
    "ollama": "Ollama gives each GPU whole layers",
}
_UNEVEN: Final = {"exllamav2": "ExLlamaV2 cuts unevenly", "exllamav3": "ExLlamaV3 cuts unevenly"}


class Model(Struct, frozen=True):
    """What is known of the workload's model. `form` names its storage; None: not known."""

    found: Identified
    source: str
    form: str | None
    form_source: str
    countable: bool = True  # whether the bytes of its storage are known
    counted: bool = True  # whether all of its weights follow from the shape

    @property
    def shape(self) -> Shape:
        """Its layers."""
        return self.found.shape


def derive_model(workload: Workload, gpus_visible: int | None, memory_bytes: int | None = None) -> ModelShape:
    """The model that the workload names.

    Args:
        workload: model, model_config, quantization, dtype, framework, tp and pp are read.
        gpus_visible: bounds the TP size for which the 4-bit weights are counted.
        memory_bytes: memory of the smallest visible GPU; without it nothing is said about fitting.
    """
    if not workload.model.known:
        return ModelShape()
    model = find_model(workload)
    if model is None:
        return _unknown(workload)
    facts: dict[str, Fact[Any]] = _shape_facts(model)
    facts.update(_quantization(model))
    facts.update(_weights(model, workload))
    facts.update(_legal(model, workload))
    facts.update(_four_bit(model, workload, gpus_visible, memory_bytes))
    return replace(ModelShape(), **facts)


def find_model(workload: Workload) -> Model | None:
    """By its configuration where there is one, else by its name."""
    name = workload.model.or_none() or ""
    option = (workload.quantization.or_none() or "").lower()
    option = "" if option in AS_STORED else option
    try:
        asked = asked_packing(option) if option else None
        countable = True
    except UsageError:  # a method that we cannot count
        asked, countable = None, False
    text = workload.model_config.or_none()
    shape = shape_of_text(text, name) if text is not None else None
    if shape is not None:
        local = of_local(shape, option if countable else "")
        model = Model(replace(local, by="config"), "config.json", None, "", counted=shape.family in COUNTED)
        return _formed(model, workload, asked, countable=countable)
    try:
        found = identify(name, option if countable else "")
    except UsageError:
        return None
    source = f"model table: {found.shape.source}"[:300]
    return _formed(Model(found, source, None, ""), workload, asked, countable=countable)


def _formed(model: Model, workload: Workload, asked: Packing | None, *, countable: bool) -> Model:
    """Add how the weights are stored: the run's option, else the checkpoint's configuration, else the name."""
    found, tail = model.found, (workload.model.or_none() or "").rpartition("/")[2]
    option = workload.quantization.or_none() or ""
    if not countable:
        return replace(model, form=option, form_source=workload.quantization.source, countable=False)
    if option and option.lower() not in AS_STORED:
        form = found.packing.method if found.packing else "none"
        return replace(model, form=form, form_source=workload.quantization.source)
    if named(tail) is None and _is_gguf(tail, workload.framework.or_none() or ""):
        return replace(model, form="gguf", form_source="name", countable=False)  # a tag that does not say which type
    if found.by == "relative" and found.packing is None and named(found.shape.id) and not says_plain(tail):
        return replace(model, countable=False)  # the only row is a re-quantised one
    by_name = asked is None and found.by == "relative" and named(tail) is not None
    form = found.packing.method if found.packing else "none"
    return replace(model, form=form, form_source="name" if by_name else model.source)


def _is_gguf(tail: str, framework: str) -> bool:
    return "gguf" in tail.lower() or framework in _BY_LAYERS


def _unknown(workload: Workload) -> ModelShape:
    detail = "model not in the table"
    if workload.model_config.known:
        detail = "its config.json gives no shape, and the name is not in the table"
    nothing: Fact[Any] = absent("not_provided", detail, "model table")
    return replace(ModelShape(), **dict.fromkeys(ModelShape.__struct_fields__, nothing))


def _shape_facts(model: Model) -> dict[str, Fact[Any]]:
    shape, source = model.shape, model.source
    parts = [layer.feed_forward for layer in shape.layers]
    widths = [part.width for part in parts if isinstance(part, Dense)]
    experts = [part for part in parts if isinstance(part, Experts)]
    width = widths[0] if widths else experts[0].width if experts else None
    tower = shape.tower.parameters if shape.tower else 0
    return {
        "id": known(shape.id, source),
        "resolved_by": known(model.found.by, _DERIVED),
        "parameters": _number(parameters(shape) + tower if model.counted else None, "the number of parameters", source),
        "layers": known(shape.depth, source),
        "hidden_size": known(shape.hidden, source),
        "intermediate_size": _number(width, "the MLP width", source),
        "attention_heads": _number(_heads(shape), "the number of heads", source),
        "kv_heads": _kv_heads(shape, source),
        "vocab_size": known(shape.vocab, source),
        "experts": known(experts[0].count, source)
        if experts
        else absent("not_applicable", "no mixture of experts", source),
    }


def _heads(shape: Shape) -> int | None:
    heads = [getattr(layer.mixer, "heads", 0) for layer in shape.layers if layer.mixer is not None]
    return next((int(count) for count in heads if count), None)


def _number(value: int | None, what: str, source: str) -> Fact[int]:
    return known(value, source) if value is not None else absent("not_provided", f"{what} is not in the source", source)


def _kv_heads(shape: Shape, source: str) -> Fact[int]:
    mixers = [layer.mixer for layer in shape.layers]
    if any(isinstance(mixer, LatentAttention) for mixer in mixers):
        return absent("not_applicable", "multi-head latent attention has no KV heads to divide", source)
    counts = [mixer.kv_heads for mixer in mixers if isinstance(mixer, Attention)]
    return _number(counts[0] if counts else None, "the number of KV heads", source)


def _quantization(model: Model) -> dict[str, Fact[Any]]:
    if model.form is None:
        detail = "how this checkpoint is stored is not known"
        return {"quantization": absent("not_provided", detail, _DERIVED)}
    packing = model.found.packing if model.countable else None
    group = (packing.group_size or packing.block_size) if packing else None
    no_group: Fact[int] = absent("not_applicable", "no groups", model.form_source)
    return {
        "quantization": known(model.form, model.form_source),
        "quantization_group_size": known(group, model.form_source) if group and group > 0 else no_group,
    }


def _weights(model: Model, workload: Workload) -> dict[str, Fact[Any]]:
    if not model.countable or not model.counted:
        detail = "parameters or storage format are not known"
        nothing: Fact[Any] = absent("not_provided", detail, model.source)
        return dict.fromkeys(("bits_per_weight", "weights_bytes", "weights_bytes_per_gpu"), nothing)
    total = weights_of(model, workload, model.found.packing)
    tower = model.shape.tower.parameters if model.shape.tower else 0
    tp = workload.tp.or_none()
    per_gpu: Fact[int] = (
        known(-(-total // (tp * (workload.pp.or_none() or 1))), _DERIVED)
        if tp
        else absent("not_provided", "no tensor-parallel size", _DERIVED)
    )
    return {
        "bits_per_weight": known(round(total * 8 / (parameters(model.shape) + tower), 3), _DERIVED),
        "weights_bytes": known(total, _DERIVED),
        "weights_bytes_per_gpu": per_gpu,  # `derive.fit` counts what a rank really holds where it knows the engine
    }


def weights_of(model: Model, workload: Workload, packing: Packing | None) -> int:
    """All weights together, in bytes."""
    if packing is not None and packing.method.startswith("gguf:"):
        from gpudoctor.fit.gguf import gguf_sizes

        return gguf_sizes(model.shape, packing.method.partition(":")[2]).file
    return whole_bytes(model.shape, packing, 4.0 if workload.dtype.or_none() == "float32" else 2.0)


def _question(model: Model, workload: Workload, tp: int = 1) -> Question:
    framework = workload.framework.or_none() or ""
    engine: Engine = next((engine for engine in ENGINES if engine == framework), "vllm")
    return Question(
        shape=model.shape,
        cards=(),
        engine=engine,
        tp=tp,
        packing=model.found.packing,
        expert_parallel=bool(workload.ep.or_none()),
    )


def _legal(model: Model, workload: Workload) -> dict[str, Fact[Any]]:
    engine = workload.framework.or_none() or ""
    if engine in _BY_LAYERS:
        return dict.fromkeys(("legal_tp", "illegal_because"), absent("not_applicable", _BY_LAYERS[engine], _DERIVED))
    if engine in _UNEVEN:
        return dict.fromkeys(("legal_tp", "illegal_because"), absent("not_provided", _UNEVEN[engine], _DERIVED))
    because = f"{_DERIVED} from the shape and the divisibility rules of {engine or 'vLLM and SGLang'}"
    tp = workload.tp.or_none()
    clause = next(obstacles(_question(model, workload, tp)), None) if tp else None
    legal: Fact[str] = absent("not_applicable", "this size is possible" if tp else "no size was asked for", _DERIVED)
    return {
        "legal_tp": known(legal_sizes(_question(model, workload)), because),
        "illegal_because": known(clause, because) if clause else legal,
    }


def _four_bit(
    model: Model, workload: Workload, gpus_visible: int | None, memory_bytes: int | None
) -> dict[str, Fact[Any]]:
    fields = ("fits_with_4bit", "weights_bytes_per_gpu_4bit")
    if not gpus_visible or not model.counted:
        return dict.fromkeys(fields, absent("not_provided", "parameters or visible GPUs are not known", _DERIVED))
    plain = replace(_question(model, workload), packing=None, engine="vllm")
    usable = max(tp for tp in legal_sizes(plain) if tp <= gpus_visible)
    per_gpu = -(-weights_of(model, workload, usual("awq")) // usable)
    share = workload.gpu_memory_utilization.or_none() or _DEFAULT_SHARE
    fits: Fact[bool] = absent("not_provided", "the memory of the GPUs is not known", _DERIVED)
    if memory_bytes is not None:
        fits = known(per_gpu < memory_bytes * share, _DERIVED)
    return {"weights_bytes_per_gpu_4bit": known(per_gpu, _DERIVED), "fits_with_4bit": fits}
