"""`gpudoctor fit` end to end: the installed command, its exit codes, its report and what it prints."""

from __future__ import annotations

import inspect
import json
import os
import typing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer

from gpudoctor.cli.fit import command as verb
from gpudoctor.cli.fit import plain as plain_fit
from gpudoctor.paths import data_file
from tests.cli.conftest import Lab, Ran, gpudoctor

EIGHT = "meta-llama/Llama-3.1-8B-Instruct"
SEVENTY = "meta-llama/Llama-3.1-70B-Instruct"
# The keys of the contract: none may ever disappear.
CONTRACT = (
    "fits", "weights_gib_per_gpu", "kv_cache_gib_per_gpu", "kv_tokens", "activation_gib", "overhead_gib",
    "required_gib_per_gpu", "available_gib_per_gpu", "legal_tp", "limits", "suggestions",
)  # fmt: skip


def asked(*arguments: str) -> tuple[Ran, dict[str, Any]]:
    ran = gpudoctor("fit", *arguments, "--format", "json")
    jsonschema.Draft202012Validator(json.loads(data_file("report.schema.json").read_text())).validate(ran.report)
    return ran, ran.report.get("fit", {})


def test_a_model_that_fits() -> None:
    ran, fit = asked(EIGHT, "--tp", "2", "--gpu", "RTX 4090 24GB", "--gpus", "2")
    assert ran.code == 0
    assert fit["fits"] is True
    assert ran.report["status"] == "ok"
    assert ran.report["findings"] == []
    assert set(CONTRACT) <= set(fit)
    assert fit["legal_tp"][:4] == [1, 2, 4, 8]
    assert fit["weights_gib_per_gpu"] == pytest.approx(7.5, abs=0.05)
    assert len(fit["gpus"]) == 2
    gpu = fit["gpus"][0]
    parts = ("weights_gib", "kv_cache_gib", "activation_gib", "overhead_gib", "free_gib", "used_by_others_gib")
    assert sum(gpu[part] for part in parts) == pytest.approx(gpu["total_gib"], abs=0.01)


def test_weights_that_do_not_fit() -> None:
    ran, fit = asked(SEVENTY, "--tp", "2", "--gpu", "RTX 4090 24GB", "--gpus", "2")
    assert ran.code == 1
    assert fit["fits"] is False
    assert ran.first == "vram_weights"
    assert fit["limits"][0]["kind"] == "weights"
    assert {"change", "result"} <= set(fit["suggestions"][0])
    assert ran.report["findings"][0]["fixes"][0]["title"].startswith(fit["suggestions"][0]["change"])


def test_a_cache_that_does_not_fit() -> None:
    ran, _ = asked("Qwen/Qwen3-32B", "--gpu", "H100 80GB", "--max-model-len", "32000", "--engine-version", "0.11")
    assert (ran.code, ran.first) == (1, "vram_kv_cache")


def test_a_size_that_is_illegal() -> None:
    ran, fit = asked("Qwen/Qwen2.5-14B", "--tp", "3", "--gpu", "RTX 3090 24GB", "--gpus", "3")
    assert (ran.code, ran.first) == (1, "tp_not_divisible")
    assert "40 attention heads do not divide by 3" in fit["limits"][0]["text"]
    assert 3 not in fit["legal_tp"]


def test_more_ranks_than_cards() -> None:
    ran, _ = asked(EIGHT, "--tp", "8", "--gpu", "H100 80GB", "--gpus", "4")
    assert (ran.code, ran.first) == (1, "tp_exceeds_gpus")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("meta-llama/Llama-3.1-71B", "--gpu", "4090"), "did you mean"),
        ((EIGHT, "--gpu", "Voodoo 3"), "--gpu-memory-gib"),
        ((EIGHT, "--gpu", "4090", "--quant", "q99"), "gguf:Q4_K_M"),
        ((EIGHT, "--gpu", "4090", "--engine", "nope"), "llamacpp"),
        (("--params", "huge", "--gpu", "4090"), "70b"),
        (("--gpu", "4090"), "--params 70b"),
        ((EIGHT, "--params", "8b", "--gpu", "4090"), "one of them"),
        ((EIGHT, "--gpu", "4090", "--tp", "0"), "fit --help"),
        ((EIGHT, "--gpu", "4090", "--gpu-memory-utilization", "nan"), "number"),
        ((EIGHT, "--gpu", "4090", "--tp", "1024", "--pp", "256"), "at most"),
        (("/nonexistent/model", "--gpu", "4090"), "config.json"),
    ],
)
def test_usage_errors_say_what_to_do_and_stay_valid_json(arguments: tuple[str, ...], word: str) -> None:
    ran, _ = asked(*arguments)
    assert ran.code == 2
    assert ran.report["error"]["kind"] == "usage"
    assert word in ran.report["error"]["message"] + ran.report["error"]["hint"]


def test_without_any_gpu_the_sizes_are_there_and_the_verdict_is_not(lab: Lab, tmp_path: Path) -> None:
    env = lab.env("no-gpu", GPUDOCTOR_ROOT=str(tmp_path))
    ran = gpudoctor("fit", EIGHT, "--tp", "2", "--format", "json", env=env)
    fit = ran.report["fit"]
    assert ran.code == 3
    assert fit["fits"] is None
    assert fit["weights_gib_per_gpu"] == pytest.approx(7.5, abs=0.05)
    assert ran.report["error"]["kind"] == "undiagnosable"


def test_the_cards_of_this_machine(lab: Lab) -> None:
    env = lab.env("h100x8-nvswitch")
    ran = gpudoctor("fit", SEVENTY, "--tp", "8", "--max-model-len", "8192", "--format", "json", env=env)
    fit = ran.report["fit"]
    assert [gpu["index"] for gpu in fit["gpus"]] == list(range(8))
    assert "H100" in fit["gpus"][0]["name"]
    assert fit["weights_gib_per_gpu"] == pytest.approx(16.45, abs=0.1)


def test_a_size_instead_of_a_model() -> None:
    ran, fit = asked("--params", "70b", "--gpu", "A100 80GB", "--tp", "4")
    assert ran.code == 0
    assert "a dense model shaped like" in " ".join(fit["assumptions"])
    assert fit["model"]["resolved_by"] == "parameters"


def test_a_local_folder(tmp_path: Path) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 256, "num_hidden_layers": 2,
        "num_attention_heads": 8, "num_key_value_heads": 4, "intermediate_size": 512, "vocab_size": 1024,
        "max_position_embeddings": 2048, "tie_word_embeddings": False,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    ran, fit = asked(str(tmp_path), "--gpu", "RTX 4090", "--tp", "2")
    assert ran.code == 0
    assert fit["model"]["resolved_by"] == "local"
    assert fit["legal_tp"] == [1, 2, 4, 8]


def test_a_launch_command_is_read_and_rewritten() -> None:
    command = "vllm serve Qwen/Qwen3-32B --max-model-len 32000 --tensor-parallel-size 1"
    ran = gpudoctor("fit", "--gpu", "H100 80GB", "--engine-version", "0.11", "--format", "json", "--", *command.split())
    fit = ran.report["fit"]
    assert ran.code == 1
    assert (fit["engine"], fit["tp"], fit["context_tokens"]) == ("vllm", 1, 32000)
    assert fit["suggestions"][0]["command"] == f"{command} --max-num-seqs 64"
    assert ran.report["findings"][0]["fixes"][0]["command"] == fit["suggestions"][0]["command"]


@pytest.mark.parametrize("color", ["never", "always"])
def test_text_fits_80_columns_and_names_every_part(color: str) -> None:
    ran = gpudoctor("fit", SEVENTY, "--tp", "2", "--gpu", "RTX 4090 24GB", "--color", color)
    plain = "".join(part.partition("m")[2] if part[:1] == "[" else part for part in ran.out.split("\x1b"))
    assert all(len(line) <= 80 for line in plain.splitlines())
    for word in ("weights 65.74", "KV cache", "activations", "overhead", "does not fit", "Legal TP", "Assumed", "Fix:"):
        assert word in plain
    assert ("\x1b[" in ran.out) == (color == "always")


def test_text_without_unicode_has_bars_all_the_same() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    ran = gpudoctor("fit", EIGHT, "--gpu", "RTX 4090 24GB", env=env)
    assert ran.out.isascii()
    assert "####" in ran.out
    assert "=" in ran.out


def test_the_verdict_comes_first_when_it_fits() -> None:
    ran = gpudoctor("fit", EIGHT, "--gpu", "RTX 4090 24GB", "--max-model-len", "8192")
    lines = [line for line in ran.out.splitlines() if line.strip()]
    assert lines[2].startswith("Llama-3.1-8B-Instruct fits 1 GPU with room for")


@pytest.mark.parametrize("name", ["markdown", "html", "junit", "sarif", "github", "prometheus"])
def test_every_format_says_that_it_does_not_fit(name: str) -> None:
    ran = gpudoctor("fit", SEVENTY, "--tp", "2", "--gpu", "RTX 4090 24GB", "--format", name)
    assert ran.code == 1
    assert "vram_weights" in ran.out.replace("-", "_")


def test_plain_options_mean_the_same_as_to_typer() -> None:
    plain = ("fit", SEVENTY, "--tp", "2", "--gpu", "RTX 4090 24GB", "--kv-dtype", "fp8", "--format", "json")
    through_typer = (*plain[:-2], "--format=json")  # this form is left to typer
    assert plain_fit.read(plain) is not None
    assert plain_fit.read(through_typer) is None
    one, other = (gpudoctor(*words).report for words in (plain, through_typer))
    assert one["fit"] == other["fit"]


def test_both_ways_know_the_same_options_with_the_same_bounds() -> None:
    hints = typing.get_type_hints(verb.fit, include_extras=True)
    typer_options: dict[str, Any] = {}
    for name in inspect.signature(verb.fit).parameters:
        hint = hints[name]
        if not hasattr(hint, "__metadata__"):  # Python 3.10 reads a default of None as "or None"
            (hint,) = (one for one in typing.get_args(hint) if hasattr(one, "__metadata__"))
        info = hint.__metadata__[0]
        if isinstance(info, typer.models.OptionInfo):
            typer_options |= dict.fromkeys((str(info.default), *(info.param_decls or ())), info)
    plain = {**plain_fit.TEXTS, **plain_fit.NUMBERS, **plain_fit.SWITCHES, **plain_fit.PATHS}
    assert set(plain) == set(typer_options)
    for word, number in plain_fit.NUMBERS.items():
        assert (typer_options[word].min, typer_options[word].max) == (number.least, number.most)


@pytest.mark.parametrize("words", [
    "fit x --tp=2", "fit x --tp two", "fit x --tp -1", "fit x --tp 2000", "fit x y", "fit x --nonesuch 1",
    "fit x --gpu",
    "fit x -- vllm serve x", "check", "", "fit --gpu-memory-gib nan", "fit --tp 1e3", "fit --help",
])  # fmt: skip
def test_what_is_not_plain_is_left_to_typer(words: str) -> None:
    assert plain_fit.read(words.split()) is None


@pytest.mark.parametrize(
    ("options", "says"), [("--nodes 3 --gpus 2", "3 nodes, and 2 GPUs in all"), ("--quant gguf", "which type of GGUF?")]
)
def test_what_cannot_be_meant_is_refused(options: str, says: str) -> None:
    ran = gpudoctor("fit", EIGHT, "--gpu", "RTX 4090 24GB", *options.split())
    assert (ran.code, says in ran.err) == (2, True), ran.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--engine sglang --gpu-memory-utilization 0.3", "--gpu-memory-utilization without effect, an option of vllm"),
        ("--mem-fraction-static 0.8", "--mem-fraction-static without effect, an option of sglang"),
        ("--split-mode row", "--split-mode without effect, an option of llamacpp"),
        ("--engine tgi --enforce-eager", "--enforce-eager without effect, an option of vllm"),
    ],
)
def test_what_has_no_effect_is_said(options: str, says: str) -> None:
    ran = gpudoctor("fit", EIGHT, "--gpu", "RTX 4090 24GB", *options.split())
    assert says in " ".join(ran.out.split())


def test_the_options_of_a_launch_command_are_its_engines() -> None:
    command = f"python -m sglang.launch_server --model-path {EIGHT} --mem-fraction-static 0.8"
    ran = gpudoctor("fit", "--gpu", "L40S", "--", *command.split())
    assert (ran.code, "without effect" in ran.out) == (0, False)


def test_every_replica_takes_its_gpus() -> None:
    ran = gpudoctor("fit", EIGHT, "--gpu", "RTX 4090 24GB", "--tp", "2", "--pp", "2", "--dp", "2")
    assert "fits 8 GPUs" in ran.out


def test_nodes_without_a_card_are_no_mistake_of_the_command_line(lab: Lab) -> None:
    ran = gpudoctor("fit", EIGHT, "--nodes", "2", env=lab.env("no-gpu"))
    assert ran.code == 3, ran.err
