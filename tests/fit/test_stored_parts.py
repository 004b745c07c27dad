"""Whole layers on a card: what its part of the checkpoint takes, to the byte."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.fit.card import Card
from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import Engine, Question
from gpudoctor.fit.shape import Attention, Dense, Layer, Packing, Shape, Stored
from gpudoctor.fit.stored_parts import stored_parts

LAYER = Layer(mixer=Attention(heads=8, kv_heads=8, head_dim=64), feed_forward=Dense(width=1024))
SHAPE = Shape(
    id="x", source="x", hidden=512, vocab=1000, layers=(LAYER,) * 4, packing=Packing(method="gguf:Q4_K_M"),
    stored=(
        Stored(tensor_class="embedding", bytes=1_000_000),
        Stored(tensor_class="lm_head", bytes=2_000_000),
        Stored(tensor_class="norm", bytes=2048),
        Stored(tensor_class="mtp", bytes=77_777),
        *(Stored(tensor_class="mlp", layer=i, bytes=10_000_000 * (i + 1)) for i in range(4)),
        *(Stored(tensor_class="query", layer=i, bytes=500) for i in range(4)),
    ),
)  # fmt: skip
CARDS = tuple(Card(name="card", total_bytes=24 << 30) for _ in range(2))


def weights(shape: Shape, engine: Engine) -> tuple[int, ...]:
    asked = Question(shape=shape, cards=CARDS, engine=engine, packing=shape.packing, max_model_len=64)
    return tuple(rank.weights for rank in predict(asked).ranks)


def test_layers_keep_their_own_sizes() -> None:
    found = stored_parts(SHAPE, 2.0)
    assert found is not None
    assert found.layers == (10_000_500, 20_000_500, 30_000_500, 40_000_500)
    assert (found.embedding, found.output, found.tower) == (1_000_000, 2_002_048, 0)
    assert stored_parts(replace(SHAPE, stored=()), 2.0) is None


def test_plain_floats_follow_the_type_that_they_are_loaded_in() -> None:
    shape = replace(SHAPE, stored=(Stored(tensor_class="mlp", layer=0, bytes=300, sixteen_bit_bytes=200),))
    sizes = [parts.layers[0] for wide in (1.0, 2.0, 4.0) if (parts := stored_parts(shape, wide))]
    assert sizes == [200, 300, 500]


def test_llama_cpp_puts_on_each_card_the_bytes_of_its_layers() -> None:
    """The embedding stays in host memory, the output is with the last layers."""
    assert weights(SHAPE, "llamacpp") == (10_000_500 + 20_000_500 + 30_000_500, 40_000_500 + 2_002_048)


def test_a_shared_embedding_is_on_the_gpu_as_output() -> None:
    tied = replace(SHAPE, tied=True, stored=tuple(s for s in SHAPE.stored if s.tensor_class != "lm_head"))
    assert sum(weights(tied, "llamacpp")) == 100_002_000 + 1_000_000 + 2048
    assert sum(weights(tied, "transformers")) == 100_002_000 + 1_000_000 + 2048


def test_transformers_holds_the_embedding_too() -> None:
    assert sum(weights(SHAPE, "transformers")) == 100_002_000 + 1_000_000 + 2_002_048
