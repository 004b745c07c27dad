"""The layer's shape: of a model by name or folder, or as given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpudoctor.cli.nccl_test.layer import layer_shape
from gpudoctor.errors import UsageError
from gpudoctor.host import LocalHost
from gpudoctor.smoke.plan import LayerShape


def test_a_model_of_the_table_gives_its_sizes_and_layers() -> None:
    shape = layer_shape(LocalHost(), "Qwen/Qwen2.5-7B-Instruct", None, None)
    assert shape is not None
    assert (shape.hidden, shape.intermediate, shape.layers) == (3584, 18944, 28)


def test_a_folder_gives_what_its_config_says(tmp_path: Path) -> None:
    config = {"model_type": "llama", "vocab_size": 32000, "hidden_size": 64, "intermediate_size": 256}
    config |= {"num_hidden_layers": 3, "num_attention_heads": 4}
    (tmp_path / "config.json").write_text(json.dumps(config))
    shape = layer_shape(LocalHost(), str(tmp_path), None, None)
    assert shape is not None
    assert (shape.hidden, shape.intermediate, shape.layers) == (64, 256, 3)


def test_sizes_that_are_given_count_more_than_the_models() -> None:
    shape = layer_shape(LocalHost(), "Qwen/Qwen2.5-7B-Instruct", None, 1024)
    assert shape is not None
    assert (shape.hidden, shape.intermediate) == (3584, 1024)


def test_sizes_alone_are_enough_and_nothing_is_nothing() -> None:
    assert layer_shape(LocalHost(), None, 64, 128) == LayerShape(64, 128)
    assert layer_shape(LocalHost(), None, None, None) is None


@pytest.mark.parametrize(("model", "hidden"), [("nobody/knows-this", None), (None, 64)])
def test_what_is_missing_is_said(model: str | None, hidden: int | None) -> None:
    with pytest.raises(UsageError, match=r"--intermediate|not known"):
        layer_shape(LocalHost(), model, hidden, None)
