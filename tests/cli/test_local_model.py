"""Checkpoints on the disk: real files, written by the real libraries, down to the bytes of each class."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from gpudoctor.cli.fit.local_model import local_shape, names_a_place
from gpudoctor.errors import InputFileError
from gpudoctor.fit.shape import Attention, LatentAttention, Shape, TensorClass
from gpudoctor.host.local import LocalHost
from tests.readers.checkpoints import write_safetensors

np = pytest.importorskip("numpy")
gguf = pytest.importorskip("gguf")

HIDDEN, LAYERS, HEADS, KV, WIDTH, VOCAB = 256, 2, 8, 2, 512, 320
CONFIG: dict[str, Any] = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "num_key_value_heads": KV, "intermediate_size": WIDTH, "vocab_size": VOCAB,
    "max_position_embeddings": 4096, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip
KV_WIDTH = KV * HIDDEN // HEADS
Tensors = dict[str, tuple[str, tuple[int, ...]]]


def read(path: Path) -> Shape:
    return local_shape(LocalHost(root=""), str(path))


def by_class(shape: Shape) -> dict[TensorClass, int]:
    found: dict[TensorClass, int] = {}
    for part in shape.stored:
        found[part.tensor_class] = found.get(part.tensor_class, 0) + part.bytes
    return found


def linears(layer: int) -> dict[str, tuple[int, int]]:
    return {
        f"model.layers.{layer}.self_attn.q_proj": (HIDDEN, HIDDEN),
        f"model.layers.{layer}.self_attn.k_proj": (KV_WIDTH, HIDDEN),
        f"model.layers.{layer}.self_attn.v_proj": (KV_WIDTH, HIDDEN),
        f"model.layers.{layer}.self_attn.o_proj": (HIDDEN, HIDDEN),
        f"model.layers.{layer}.mlp.gate_proj": (WIDTH, HIDDEN),
        f"model.layers.{layer}.mlp.up_proj": (WIDTH, HIDDEN),
        f"model.layers.{layer}.mlp.down_proj": (HIDDEN, WIDTH),
    }


def plain(name: str, out: int, inner: int) -> Tensors:
    return {f"{name}.weight": ("bfloat16", (out, inner))}


def awq(name: str, out: int, inner: int) -> Tensors:
    groups = inner // 128
    return {
        f"{name}.qweight": ("int32", (inner, out // 8)),
        f"{name}.qzeros": ("int32", (groups, out // 8)),
        f"{name}.scales": ("float16", (groups, out)),
    }


def fp8(name: str, out: int, inner: int) -> Tensors:
    return {
        f"{name}.weight": ("float8_e4m3fn", (out, inner)),
        f"{name}.weight_scale_inv": ("float32", (-(-out // 128), -(-inner // 128))),
    }


def outside() -> Tensors:
    return {
        "model.embed_tokens.weight": ("bfloat16", (VOCAB, HIDDEN)),
        "lm_head.weight": ("bfloat16", (VOCAB, HIDDEN)),
        "model.norm.weight": ("bfloat16", (HIDDEN,)),
    } | {f"model.layers.{i}.input_layernorm.weight": ("bfloat16", (HIDDEN,)) for i in range(LAYERS)}


def checkpoint(folder: Path, form: Any = plain, config: dict[str, Any] | None = None, shards: int = 1) -> int:
    """A whole small Llama; the bytes of its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    tensors = outside()
    for layer in range(LAYERS):
        for name, (out, inner) in linears(layer).items():
            tensors |= form(name, out, inner)
    if shards == 1:
        return write_safetensors(folder / "model.safetensors", tensors)
    names, total = sorted(tensors), 0
    places: dict[str, str] = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        mine = names[shard::shards]
        total += write_safetensors(folder / file, {name: tensors[name] for name in mine})
        places |= dict.fromkeys(mine, file)
    index = {"metadata": {"total_size": total}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return total


def test_a_folder_gives_shape_and_exact_bytes(tmp_path: Path) -> None:
    total = checkpoint(tmp_path / "my-model")
    shape = read(tmp_path / "my-model")
    assert (shape.id, shape.depth, shape.hidden, shape.vocab, shape.tied) == ("my-model", 2, 256, 320, False)
    assert isinstance(shape.layers[0].mixer, Attention)
    assert shape.packing is None
    found = by_class(shape)
    assert sum(found.values()) == total
    assert found["query"] == LAYERS * HIDDEN * HIDDEN * 2
    assert found["key_value"] == LAYERS * 2 * KV_WIDTH * HIDDEN * 2
    assert found["mlp"] == LAYERS * 3 * WIDTH * HIDDEN * 2
    assert found["embedding"] == found["lm_head"] == VOCAB * HIDDEN * 2


def test_shards_add_up_to_the_same(tmp_path: Path) -> None:
    one, many = checkpoint(tmp_path / "one"), checkpoint(tmp_path / "many", shards=3)
    assert one == many
    assert by_class(read(tmp_path / "one")) == by_class(read(tmp_path / "many"))
    # What lies beside the shards of the index is another copy, an adapter or something else.
    checkpoint(tmp_path / "extra")
    (tmp_path / "extra" / "model.safetensors").rename(tmp_path / "many" / "consolidated.safetensors")
    assert sum(by_class(read(tmp_path / "many")).values()) == many


@pytest.mark.parametrize(
    ("form", "config", "file", "method", "group"),
    [
        (awq, {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}}, "",
         "awq", 128),
        (awq, {}, "quant_config.json", "awq", 128),
        (awq, {}, "quantize_config.json", "gptq-4bit", 64),
        (fp8, {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}, "", "fp8", None),
        (plain, {}, "hf_quant_config.json", "nvfp4", 16),
    ],
)  # fmt: skip
def test_packed_checkpoints_say_how_and_count_their_scales(
    tmp_path: Path, form: Any, config: dict[str, Any], file: str, method: str, group: int | None
) -> None:
    total = checkpoint(tmp_path, form, config)
    beside = {
        "quant_config.json": {"zero_point": True, "q_group_size": 128, "w_bit": 4, "version": "GEMM"},
        "quantize_config.json": {"bits": 4, "group_size": 64, "desc_act": False},
        "hf_quant_config.json": {"quantization": {"quant_algo": "NVFP4", "group_size": 16}},
    }
    if file:
        (tmp_path / file).write_text(json.dumps(beside[file]))
    shape = read(tmp_path)
    assert shape.packing is not None
    assert (shape.packing.method, shape.packing.group_size) == (method, group)
    assert sum(by_class(shape).values()) == total


def test_a_shared_embedding_is_known_by_the_missing_head(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    tensors = {name: value for name, value in outside().items() if name != "lm_head.weight"}
    write_safetensors(tmp_path / "model.safetensors", tensors)
    assert read(tmp_path).tied


def test_images_have_a_tower_of_the_size_that_it_has(tmp_path: Path) -> None:
    config = {"model_type": "llava", "text_config": CONFIG, "vision_config": {"hidden_size": 64, "num_hidden_layers": 2,
              "num_attention_heads": 4, "intermediate_size": 128}}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    tower: Tensors = {"vision_tower.layers.0.mlp.fc1.weight": ("bfloat16", (128, 64))}
    write_safetensors(tmp_path / "model.safetensors", outside() | tower)
    shape = read(tmp_path)
    assert shape.tower is not None
    assert (shape.tower.parameters, shape.tower.heads) == (128 * 64, 4)
    write_safetensors(tmp_path / "model.safetensors", outside())
    assert read(tmp_path).tower is None


def test_without_weights_the_configuration_is_enough(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    assert read(tmp_path).stored == ()
    assert read(tmp_path / "config.json") == read(tmp_path)


def test_missing_shards_are_said_and_the_formula_stands_in(tmp_path: Path) -> None:
    checkpoint(tmp_path, shards=3)
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    shape = read(tmp_path)
    assert shape.stored == ()
    assert "1 of the files that the index names are not there" in shape.assumptions[-1]


def test_a_folder_of_the_hubs_cache_is_its_current_version(tmp_path: Path) -> None:
    cache = tmp_path / "models--org--name"
    checkpoint(cache / "snapshots" / "aaa")
    checkpoint(cache / "snapshots" / "bbb", config={"max_position_embeddings": 8192})
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("aaa")
    assert read(cache).max_positions == 4096
    (cache / "refs" / "main").write_text("gone")
    assert read(cache).max_positions == 8192


def test_mistrals_own_form_is_read(tmp_path: Path) -> None:
    params = {"dim": 256, "n_layers": 2, "head_dim": 32, "hidden_dim": 512, "n_heads": 8, "n_kv_heads": 2,
              "vocab_size": 320}  # fmt: skip
    (tmp_path / "params.json").write_text(json.dumps(params))
    tensors: Tensors = {
        "tok_embeddings.weight": ("bfloat16", (320, 256)),
        "output.weight": ("bfloat16", (320, 256)),
        "layers.0.attention.wq.weight": ("bfloat16", (256, 256)),
        "layers.1.feed_forward.w1.weight": ("bfloat16", (512, 256)),
    }
    total = write_safetensors(tmp_path / "consolidated.safetensors", tensors)
    found = by_class(read(tmp_path))
    assert sum(found.values()) == total
    assert set(found) == {"embedding", "lm_head", "query", "mlp"}


def write_gguf(path: Path, arch: str = "llama", parts: int = 1, extra: dict[str, int] | None = None) -> int:
    """A small Llama in Q4_0 with 32-bit norms; the bytes of its weights."""
    kwargs: dict[str, Any] = {"split_max_tensors": -(-19 // parts)} if parts > 1 else {}
    writer = gguf.GGUFWriter(path, arch, **kwargs)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV)
    writer.add_context_length(4096)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_token_list([f"t{n}" for n in range(VOCAB)])
    for key, value in (extra or {}).items():
        writer.add_uint32(f"{arch}.{key}", value)
    total = 0
    shapes = {"token_embd": (VOCAB, HIDDEN), "output": (VOCAB, HIDDEN), "output_norm": (HIDDEN,)}
    for layer in range(LAYERS):
        names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
        shapes |= {f"blk.{layer}.{n}": s for n, s in zip(names, linears(layer).values(), strict=True)}
        shapes[f"blk.{layer}.attn_norm"] = (HIDDEN,)
    for name, shape in shapes.items():
        data = np.zeros(shape, np.float32)
        if len(shape) == 1:
            writer.add_tensor(f"{name}.weight", data)
        else:
            data = gguf.quants.quantize(data, gguf.GGMLQuantizationType.Q4_0)
            writer.add_tensor(f"{name}.weight", data, raw_dtype=gguf.GGMLQuantizationType.Q4_0)
        total += data.nbytes
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return total


def test_a_gguf_file_gives_shape_and_exact_bytes(tmp_path: Path) -> None:
    total = write_gguf(tmp_path / "model.gguf")
    shape = read(tmp_path / "model.gguf")
    assert (shape.depth, shape.hidden, shape.vocab, shape.max_positions, shape.tied) == (2, 256, 320, 4096, False)
    mixer = shape.layers[1].mixer
    assert isinstance(mixer, Attention)
    assert (mixer.heads, mixer.kv_heads, mixer.head_dim) == (8, 2, 32)
    assert shape.packing is not None
    assert shape.packing.method == "gguf:Q4_0"
    found = by_class(shape)
    assert sum(found.values()) == total
    assert found["query"] == LAYERS * HIDDEN * HIDDEN * 18 // 32
    assert found["norm"] == (LAYERS + 1) * HIDDEN * 4  # kept in 32 bits
    assert read(tmp_path) == shape


def test_parts_of_a_gguf_model_are_read_together(tmp_path: Path) -> None:
    total = write_gguf(tmp_path / "model.gguf", parts=3)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 3
    for name in names:  # whichever part is named
        assert sum(by_class(read(tmp_path / name)).values()) == total
    assert sum(by_class(read(tmp_path)).values()) == total
    (tmp_path / names[1]).unlink()
    with pytest.raises(InputFileError, match="does not exist"):
        read(tmp_path / names[0])
    (tmp_path / names[0]).rename(tmp_path / "renamed.gguf")
    with pytest.raises(InputFileError, match="one of 3 parts"):
        read(tmp_path / "renamed.gguf")


def test_latents_are_cached_by_new_files_and_whole_heads_by_old_ones(tmp_path: Path) -> None:
    old = {"attention.kv_lora_rank": 64, "attention.q_lora_rank": 96, "rope.dimension_count": 16,
           "attention.key_length": 48, "attention.value_length": 32}  # fmt: skip
    write_gguf(tmp_path / "old.gguf", "deepseek2", extra=old)
    shape = read(tmp_path / "old.gguf")
    mixer = shape.layers[0].mixer
    assert isinstance(mixer, Attention)
    assert (mixer.head_dim, mixer.value_dim) == (48, 32)
    assert "whole heads" in shape.assumptions[-1]
    new = old | {"attention.key_length_mla": 48, "attention.value_length_mla": 32}
    write_gguf(tmp_path / "new.gguf", "deepseek2", extra=new)
    latent = read(tmp_path / "new.gguf").layers[0].mixer
    assert isinstance(latent, LatentAttention)
    assert (latent.kv_rank, latent.rope_dim, latent.nope_dim, latent.value_dim) == (64, 16, 32, 32)


def test_windows_and_experts_come_from_the_metadata(tmp_path: Path) -> None:
    extra = {"attention.sliding_window": 128, "expert_count": 4, "expert_used_count": 2,
             "expert_feed_forward_length": 64}  # fmt: skip
    write_gguf(tmp_path / "moe.gguf", "gpt-oss", extra=extra)
    shape = read(tmp_path / "moe.gguf")
    windows = [layer.mixer.window for layer in shape.layers if isinstance(layer.mixer, Attention)]
    assert windows == [128, None]
    assert shape.layers[0].feed_forward is not None
    assert shape.family == "gpt_oss"


def test_a_projector_is_no_model(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "mmproj.gguf", "clip")
    writer.add_tensor("v.patch_embd.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(InputFileError, match="no language model: it says that it is 'clip'"):
        read(tmp_path / "mmproj.gguf")
    with pytest.raises(InputFileError, match=r"neither a config\.json nor a \.gguf"):
        read(tmp_path)


def test_several_models_in_a_folder_have_to_be_told_apart(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        write_gguf(tmp_path / name)
    with pytest.raises(InputFileError, match=r"2 GGUF models: a\.gguf, b\.gguf"):
        read(tmp_path)


def test_a_broken_file_is_named_with_the_place(tmp_path: Path) -> None:
    checkpoint(tmp_path)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-100])
    with pytest.raises(InputFileError, match=r"model\.safetensors is cut off: \d+ of \d+ bytes"):
        read(tmp_path)
    weights.write_bytes(struct.pack("<Q", 1 << 63) + whole[8:])
    with pytest.raises(InputFileError, match=r"model\.safetensors says that its header has 9223372036854775808 bytes"):
        read(tmp_path)
    weights.write_bytes(whole)
    (tmp_path / "config.json").write_text("{" * 10_000)
    with pytest.raises(InputFileError, match=r"config\.json is no JSON object"):
        read(tmp_path)
    (tmp_path / "config.json").write_text('{"hidden_size": 64}')
    with pytest.raises(InputFileError, match=r"does not say enough.*num_hidden_layers"):
        read(tmp_path)


@pytest.mark.parametrize("kind", ["nothing", "empty folder", "text file", "pipe", "folder called gguf"])
def test_what_is_no_checkpoint_is_an_error_of_one_line(tmp_path: Path, kind: str) -> None:
    import os

    path = tmp_path / "x.gguf"
    if kind == "empty folder":
        path = tmp_path
    elif kind == "text file":
        path.write_text("hello")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder called gguf":
        path.mkdir()
    with pytest.raises(InputFileError) as error:
        read(path)
    assert "\n" not in str(error.value)
    assert error.value.hint


def test_an_id_of_the_table_is_no_place_and_a_path_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("/models/x", "./x", "../x", "~/x", ".", "x.gguf", "/a/b.safetensors"):
        assert names_a_place(name), name
    for name in ("meta-llama/Llama-3.1-8B", "llama3.1:70b", "Qwen2.5-7B-Instruct-AWQ"):
        assert not names_a_place(name), name
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert names_a_place("here")
