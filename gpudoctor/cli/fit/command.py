"""`gpudoctor fit`: will it fit, is this TP size legal, and what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from gpudoctor.cli import options


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(name="fit")(fit)


def fit(
    model: Annotated[
        Optional[str], typer.Argument(metavar="[MODEL]", help="Model id, folder or .gguf file.", show_default=False)
    ] = None,
    launch: Annotated[
        Optional[list[str]],
        typer.Argument(metavar="[-- LAUNCH COMMAND...]", help="Read, never run.", show_default=False),
    ] = None,
    params: Annotated[
        Optional[str], typer.Option("--params", metavar="COUNT", help="Instead of a model: its size, e.g. 70b.")
    ] = None,
    tp: Annotated[
        Optional[int], typer.Option("--tp", min=1, max=1024, help="Tensor-parallel size (default: one that fits).")
    ] = None,
    pp: Annotated[int, typer.Option("--pp", min=1, max=256, help="Pipeline-parallel size.")] = 1,
    dp: Annotated[int, typer.Option("--dp", min=1, max=256, help="Data-parallel size (replicas).")] = 1,
    expert_parallel: Annotated[
        bool, typer.Option("--expert-parallel", "--ep", help="Whole experts on each GPU instead of slices.")
    ] = False,
    gpu: Annotated[
        Optional[str],
        typer.Option(
            "--gpu", metavar="NAME", help='Card, e.g. "RTX 4090 24GB"; of several kinds: "A,B" (default: this machine).'
        ),
    ] = None,
    gpus: Annotated[Optional[int], typer.Option("--gpus", min=1, max=1024, help="How many of them.")] = None,
    gpu_memory_gib: Annotated[
        Optional[float],
        typer.Option(
            "--gpu-memory-gib", min=0.5, max=4096, callback=options.finite, help="Memory as torch reports it, in GiB."
        ),
    ] = None,
    engine: Annotated[
        Optional[str],
        typer.Option("--engine", help="vllm, sglang, tgi, trtllm, exllamav2, exllamav3, llamacpp or transformers."),
    ] = None,
    engine_version: Annotated[
        Optional[str], typer.Option("--engine-version", metavar="V", help="e.g. 0.11.0 (default: the newest known).")
    ] = None,
    quant: Annotated[
        Optional[str],
        typer.Option(
            "--quant",
            help="none, fp8, int8, awq, gptq-4bit, gptq-8bit, bnb-nf4, mxfp4, nvfp4, exl2:BPW, exl3:BPW, gguf:Q4_K_M.",
        ),
    ] = None,
    dtype: Annotated[Optional[str], typer.Option("--dtype", help="bf16, fp16 or fp32.")] = None,
    kv_dtype: Annotated[Optional[str], typer.Option("--kv-dtype", help="Type of the KV cache, e.g. fp8, q8_0.")] = None,
    max_model_len: Annotated[
        Optional[int],
        typer.Option("--max-model-len", min=1, max=1 << 30, help="Context that one request may have."),
    ] = None,
    max_num_seqs: Annotated[
        Optional[int], typer.Option("--max-num-seqs", min=1, max=1 << 20, help="Requests served at a time.")
    ] = None,
    max_num_batched_tokens: Annotated[
        Optional[int], typer.Option("--max-num-batched-tokens", min=1, max=1 << 24, help="Tokens of one step.")
    ] = None,
    gpu_memory_utilization: Annotated[
        Optional[float],
        typer.Option(
            "--gpu-memory-utilization", min=0.01, max=1.0, callback=options.finite, help="vLLM's share of each GPU."
        ),
    ] = None,
    mem_fraction_static: Annotated[
        Optional[float],
        typer.Option("--mem-fraction-static", min=0.01, max=1.0, callback=options.finite, help="SGLang's fraction."),
    ] = None,
    split_mode: Annotated[Optional[str], typer.Option("--split-mode", help="llama.cpp: layer, row or tensor.")] = None,
    enforce_eager: Annotated[bool, typer.Option("--enforce-eager", help="vLLM without CUDA graphs.")] = False,
    snapshot: Annotated[
        Optional[Path], typer.Option("--snapshot", metavar="FILE", help="The GPUs of this snapshot.")
    ] = None,
    nodes: Annotated[int, typer.Option("--nodes", min=1, max=1024, help="Machines that the GPUs are in.")] = 1,
    nccl_test: Annotated[
        Optional[Path],
        typer.Option("--nccl-test", metavar="FILE", help="Report of nccl-test, for the speed of the links."),
    ] = None,
    format_name: options.Format = "text",
    output: options.Output = None,
    color: options.Color = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Say whether a model fits, where the memory goes, which TP sizes are legal, and what to change."""
    from gpudoctor.cli.fit.work import Wanted, run
    from gpudoctor.fit.ask import Options

    words = tuple(launch or ())
    if model is not None and words and _is_program(model):  # `fit -- vllm serve ...`: no model was named
        words, model = (model, *words), None
    wanted = Wanted(
        model=model or "",
        params=params or "",
        quant=quant or "",
        gpu=gpu or "",
        gpus=gpus,
        gpu_memory_gib=gpu_memory_gib,
        snapshot=snapshot,
        nodes=nodes,
        nccl_test=nccl_test,
        launch=words,
        options=Options(
            engine=engine or "",
            engine_version=engine_version or "",
            tp=tp,
            pp=pp,
            dp=dp,
            expert_parallel=expert_parallel,
            dtype=dtype or "",
            kv_dtype=kv_dtype or "",
            max_model_len=max_model_len,
            max_num_seqs=max_num_seqs,
            max_num_batched_tokens=max_num_batched_tokens,
            utilization=gpu_memory_utilization,
            mem_fraction=mem_fraction_static,
            split_mode=split_mode or "",
            eager=enforce_eager,
        ),
        format_name=format_name,
        output=output,
        color=color,
        quiet=quiet,
        verbose=verbose,
    )
    raise typer.Exit(int(run(wanted)))


_PROGRAMS = ("vllm", "python", "python3", "docker", "sglang", "text-generation-launcher", "llama-server", "env", "sudo")


def _is_program(word: str) -> bool:
    """Whether the first word is how a run is started rather than a model."""
    return "=" in word or word.rpartition("/")[2] in _PROGRAMS or word.startswith(("llama-", "trtllm-"))
