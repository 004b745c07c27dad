"""`gpudoctor fit` on several cards: the advice in the report, with measured links, nodes and mixed cards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gpudoctor.cli.fit.advice import read_smoke
from gpudoctor.errors import InputFileError
from tests.fit.test_fabric import smoke

MODEL = "meta-llama/Llama-3.1-70B"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gpudoctor", "fit", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def fit(*words: str) -> dict[str, Any]:
    done = run(*words, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["fit"]
    return found


def said(found: dict[str, Any]) -> str:
    return " ".join(f"{one['text']} {one['why']}" for one in found["advice"])


def report(path: Path) -> Path:
    import msgspec

    path.write_bytes(b'{"schema": "gpudoctor.report/1", "smoke": ' + msgspec.json.encode(smoke()) + b"}")
    return path


def test_several_cards_bring_advice_and_options() -> None:
    found = fit(MODEL, "--quant", "awq", "--gpu", "RTX 3090", "--gpus", "4", "--tp", "2", "--max-model-len", "8192")
    assert "2 copies of TP 2" in said(found)
    names = [option["name"] for option in found["options"]]
    assert {"TP 4", "2 copies of TP 2", "PP 4"} <= set(names)
    for option in found["options"]:
        assert option["fits"] == (not option["why_not"])
        assert (option["throughput_times"] is not None) == option["fits"]


def test_one_card_needs_no_advice() -> None:
    found = fit("Qwen/Qwen2.5-7B", "--gpu", "RTX 3090", "--tp", "1", "--max-model-len", "8192")
    assert (found["advice"], found["options"]) == ([], [])


def test_a_run_of_nccl_test_gives_the_speed_of_the_links(tmp_path: Path) -> None:
    words = ("Qwen/Qwen2.5-14B", "--quant", "awq", "--gpu", "RTX 3090", "--gpus", "2", "--max-model-len", "4096")
    plain = fit(*words)
    measured = fit(*words, "--nccl-test", str(report(tmp_path / "smoke.json")))
    both = [next(o["decode_times"] for o in found["options"] if o["name"] == "TP 2") for found in (plain, measured)]
    assert both[0]["middle"] > both[1]["middle"]  # 40 us instead of the table's 25
    assert both[0]["high"] - both[0]["low"] > both[1]["high"] - both[1]["low"]
    assert "measured here" in said(measured)


def test_cards_of_several_kinds_are_named_one_by_one() -> None:
    found = fit(MODEL, "--quant", "awq", "--gpu", "RTX 3090,RTX 4090", "--tp", "2", "--max-model-len", "4096")
    assert [gpu["name"] for gpu in found["gpus"]] == ["RTX 3090", "RTX 4090"]
    assert "the slowest card" in said(found)


def test_nodes_keep_tp_inside() -> None:
    found = fit("meta-llama/Llama-3.1-405B", "--gpu", "H100 80GB", "--gpus", "16", "--nodes", "2", "--tp", "8",
                "--pp", "2", "--max-model-len", "8192")  # fmt: skip
    assert "inside a node" in said(found)
    across = next(option for option in found["options"] if option["tp"] == 16)
    assert across["decode_times"] is None


BROKEN = {
    "nothing": None,
    "no JSON": b"hello",
    "another report": b'{"schema": "gpudoctor.report/1"}',
    "no run": b'{"smoke": 3}',
    "deep": b'{"smoke": ' * 50_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_a_file_that_is_no_report_is_named(data: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "smoke.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputFileError, match=r"smoke\.json") as error:
        read_smoke(path)
    assert "nccl-test" in error.value.hint


def test_a_checkpoint_on_the_disk_is_answered_with_its_own_bytes(tmp_path: Path) -> None:
    from tests.cli.test_local_model import checkpoint, write_gguf

    total = checkpoint(tmp_path / "folder", config={"hidden_size": 256})
    found = fit(str(tmp_path / "folder"), "--gpu", "RTX 3090", "--tp", "1", "--engine", "transformers")
    assert found["weights_gib_per_gpu"] == pytest.approx(total / (1 << 30), abs=1e-4)
    assert (found["model"]["resolved_by"], found["model"]["id"]) == ("local", "folder")
    size = write_gguf(tmp_path / "model.gguf")
    found = fit(str(tmp_path / "model.gguf"), "--gpu", "RTX 3090", "--engine", "llamacpp")
    assert found["model"]["quantization"] == "gguf:Q4_0"
    assert found["weights_gib_per_gpu"] < size / (1 << 30)  # the embedding stays in host memory


def test_a_broken_checkpoint_is_an_error_of_use(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF\x03\0\0\0" + b"\xff" * 64)
    done = run(str(tmp_path / "model.gguf"), "--gpu", "RTX 3090")
    assert done.returncode == 2
    assert "model.gguf says that it has 18446744073709551615 tensors" in done.stderr
    assert "Traceback" not in done.stderr
