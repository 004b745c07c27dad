"""config.json: what the accessors take, and what they leave."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpudoctor.readers.model_config import MAX_BYTES, ConfigError, read_model_config, read_section


def test_the_decoder_is_found_where_multimodal_models_keep_it() -> None:
    inner = {"model_type": "Gemma3_Text", "hidden_size": 5376}
    config = read_model_config(
        json.dumps({"model_type": "gemma3", "text_config": inner, "vision_config": {"depth": 27}})
    )
    assert config.family == "gemma3_text"
    assert config.language.number("hidden_size") == 5376
    assert config.vision is not None
    assert config.vision.number("depth") == 27
    omni = {"model_type": "omni", "thinker_config": {"text_config": inner, "audio_config": {"d_model": 1280}}}
    config = read_model_config(json.dumps(omni))
    assert config.language.number("hidden_size") == 5376
    assert config.audio is not None
    plain = read_model_config(b'{"model_type": "llama", "hidden_size": 4096, "vision_config": {}}')
    assert (plain.family, plain.language.number("hidden_size"), plain.vision) == ("llama", 4096, None)


def test_the_quantisation_is_found_beside_or_within_the_decoder() -> None:
    for text in ('{"quantization_config": {"bits": 4}}', '{"text_config": {"quantization_config": {"bits": 4}}}',
                 '{"compression_config": {"bits": 4}}'):  # fmt: skip
        section = read_model_config(text).quantization
        assert section is not None
        assert section.number("bits") == 4
    assert read_model_config('{"quantization_config": null}').quantization is None


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), (7.0, 7), (0, None), (-7, None), (True, None), ("7", None), (None, None), ([7], None), ({}, None),
     (7.5, None), (1 << 31, None), (1 << 63, None), (1e300, None), (float(1 << 40), None)],
)  # fmt: skip
def test_a_number_is_a_positive_whole_one_or_none(value: object, number: int | None) -> None:
    section = read_section(json.dumps({"hidden_size": value}))
    assert section.number("hidden_size") == number
    assert section.number("absent", "hidden_size") == number


def test_the_first_usable_name_counts() -> None:
    section = read_section(
        '{"a": null, "b": -1, "c": 3, "d": 0, "flag": 1, "text": 5, "list": [1, "x"], "words": ["a", 1]}'
    )
    assert section.number("a", "b", "c") == 3
    assert section.count("a", "d", "c") == 0
    assert section.flag("flag") is None
    assert section.text("text") == ""
    assert section.numbers("list") == ()
    assert section.texts("words") == ("a",)
    assert section.section("list", "c") is None
    assert section.sections("list") == ()


def test_the_bare_infinity_of_state_space_models_is_taken() -> None:
    text = '{"model_type": "mamba2", "time_step_limit": [0.0, Infinity], "hidden_size": 4096, "x": Infinity}'
    for form in (text, text.encode()):
        config = read_model_config(form)
        assert config.language.number("hidden_size") == 4096
        assert config.language.number("x") is None
        assert config.language.real("x") is None
    with pytest.raises(ConfigError):
        read_model_config("[" * 100_000 + "Infinity")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"3", b"{", b"\xff\xfe", b'{"a":' * 100_000, b"[" * 200_000, b'{"a": 1e}', "{\ud800: 1}"]
)
def test_what_is_no_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(ConfigError, match="no JSON object"):
        read_model_config(text)


def test_a_file_larger_than_any_real_one_is_not_parsed() -> None:
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        read_model_config(b'{"a": "' + b"x" * MAX_BYTES + b'"}')


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(values)
def test_every_accessor_takes_every_value(value: object) -> None:
    section = read_section(json.dumps({"x": value}))
    for ask in (section.number, section.count, section.real, section.text, section.texts, section.section):
        ask("x")
    for one in (section.flag, section.numbers, section.sections):
        one("x")
