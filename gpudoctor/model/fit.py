"""Whether a model fits: the `fit` key of a report. The JSON keys are a contract (docs/fit.md). GiB are 2^30 bytes."""

from __future__ import annotations

from msgspec import Struct, field

from gpudoctor.model.fit_options import FitOption


class FitModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which model was meant and where its shape comes from."""

    asked: str
    id: str
    resolved_by: str  # exact | relative | local | parameters
    source: str
    parameters: int
    layers: int
    quantization: str  # none, or as `--quant` takes it


class FitGpu(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One GPU of the run. `overhead_gib` is CUDA context, libraries and CUDA graphs, whether counted or not."""

    rank: int
    index: int | None  # of this machine, as nvidia-smi numbers it
    name: str
    total_gib: float  # as CUDA programs see it
    used_by_others_gib: float
    weights_gib: float
    kv_cache_gib: float  # what the engine takes, at least 0
    kv_needed_gib: float  # for one sequence of full length
    activation_gib: float
    overhead_gib: float
    free_gib: float  # what is left of the card; negative where it does not fit


class FitLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in the way. `kind`: weights, kv_cache, activation, graphs, free_memory, cards or tp_size."""

    kind: str
    text: str
    short_gib: float | None = None  # None where it is no matter of memory


class FitSuggestion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change after which it fits, computed again. `loses` is what the user gives up."""

    change: str
    result: str
    loses: str = ""
    command: str = ""  # the launch command with the change, where one was given
    kv_tokens: int | None = None


class FitAdvice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing to say about how to spread the model over GPUs, and why."""

    text: str
    why: str = ""


class FitReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer. `_per_gpu` is of the GPU with the least to spare."""

    fits: bool | None  # None where no card is known
    borderline: bool  # the margin could turn the verdict
    engine: str
    engine_version: str | None
    tp: int
    pp: int
    dp: int
    model: FitModel
    weights_gib_per_gpu: float
    kv_cache_gib_per_gpu: float | None
    kv_tokens: int | None
    activation_gib: float
    overhead_gib: float
    required_gib_per_gpu: float  # with the cache of one sequence of full length
    available_gib_per_gpu: float | None
    margin_gib: float  # how far off `required` may be, either way
    context_tokens: int
    kv_bytes_per_token: int  # on one GPU
    legal_tp: tuple[int, ...]
    limits: tuple[FitLimit, ...]
    suggestions: tuple[FitSuggestion, ...]
    gpus: tuple[FitGpu, ...]
    weights_gib_by_class: dict[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    advice: tuple[FitAdvice, ...] = ()
    options: tuple[FitOption, ...] = ()  # ways to spread the model over the GPUs; empty where there is one
