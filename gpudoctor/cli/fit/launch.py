"""What a launch command says of the model and its memory, and how a suggestion is put back into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpudoctor.cli.fit.work import Wanted
    from gpudoctor.fit.ask import Options
    from gpudoctor.fit.suggest import Suggestion
    from gpudoctor.model.facts import Workload

_ENGINES: Final = ("vllm", "sglang", "tgi", "trtllm", "exllamav2", "exllamav3", "llamacpp", "transformers")


def with_launch(wanted: Wanted) -> tuple[Wanted, Callable[[Suggestion], str]]:
    """Options win over the command.

    Raises:
        CommandError: the command cannot be read.
    """
    from gpudoctor.cli.launch import read_launch

    command, _ = read_launch(wanted.launch)
    workload = command.workload
    options = _options(wanted.options, workload)
    model = wanted.model or ("" if wanted.params else workload.model.or_none() or "")
    quant = wanted.quant or workload.quantization.or_none() or ""
    return replace(wanted, model=model, quant=quant, options=options), _rewriter(workload)


def _options(given: Options, workload: Workload) -> Options:
    framework = workload.framework.or_none() or ""
    engine = given.engine or (framework if framework in _ENGINES else "")
    share = workload.gpu_memory_utilization.or_none()
    sglang = engine == "sglang"
    return replace(
        given,
        engine=engine,
        tp=given.tp or workload.tp.or_none() or 1,
        pp=workload.pp.or_none() or given.pp if given.pp == 1 else given.pp,
        dp=workload.dp.or_none() or given.dp if given.dp == 1 else given.dp,
        expert_parallel=given.expert_parallel or bool(workload.ep.or_none()),
        dtype=given.dtype or workload.dtype.or_none() or "",
        kv_dtype=given.kv_dtype or workload.kv_cache_dtype.or_none() or "",
        max_model_len=given.max_model_len or workload.max_model_len.or_none(),
        max_num_seqs=given.max_num_seqs or workload.max_num_seqs.or_none(),
        utilization=given.utilization or (None if sglang else share),
        mem_fraction=given.mem_fraction or (share if sglang else None),
        eager=given.eager or bool(workload.enforce_eager.or_none()),
    )


def _rewriter(workload: Workload) -> Callable[[Suggestion], str]:
    def rewritten(suggestion: Suggestion) -> str:
        from gpudoctor.model.change import Change
        from gpudoctor.workload.rewrite import rewrite

        return rewrite(workload, Change(flags=dict(suggestion.flags))) if suggestion.flags else ""

    return rewritten
