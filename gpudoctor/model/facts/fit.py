"""Whether the workload's model fits the GPUs that it would use (derived, as `gpudoctor fit` predicts it)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Section


class Fit(Section, frozen=True, kw_only=True):
    """Of the GPU with the least to spare, as if nobody else used it. Known where engine, model and GPUs are.

    `works_with_*` is the value of one option that alone makes it fit; absent not_applicable where none does, or where
    it fits as it is.
    """

    fits: Fact[bool] = NOT_PROVIDED  # memory alone: too few GPUs and illegal sizes are other facts
    borderline: Fact[bool] = NOT_PROVIDED  # the prediction may be off by more than what decides
    limit: Fact[str] = NOT_PROVIDED  # weights kv_cache graphs; absent not_applicable where it fits
    because: Fact[str] = NOT_PROVIDED  # one clause
    weights_bytes: Fact[int] = NOT_PROVIDED
    activation_bytes: Fact[int] = NOT_PROVIDED
    overhead_bytes: Fact[int] = NOT_PROVIDED  # CUDA context, libraries, CUDA graphs
    kv_cache_bytes: Fact[int] = NOT_PROVIDED  # what is left for the cache; negative where nothing is
    kv_needed_bytes: Fact[int] = NOT_PROVIDED  # for one sequence of full length
    kv_tokens: Fact[int] = NOT_PROVIDED
    context_tokens: Fact[int] = NOT_PROVIDED  # asked for, or the model's own
    available_bytes: Fact[int] = NOT_PROVIDED  # what the engine may use
    short_bytes: Fact[int] = NOT_PROVIDED  # missing; 0 where it fits
    works_with_max_model_len: Fact[int] = NOT_PROVIDED
    works_with_max_num_seqs: Fact[int] = NOT_PROVIDED
    works_with_utilization: Fact[float] = NOT_PROVIDED
    works_with_tp: Fact[int] = NOT_PROVIDED  # on the visible GPUs
    works_with_kv_cache_dtype: Fact[str] = NOT_PROVIDED
