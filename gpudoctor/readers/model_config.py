"""A model's config.json, and its relatives of the same form, behind accessors that believe nothing.

The file is foreign: bounded, every value checked when it is asked for. What no accessor takes is as good as not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

MAX_BYTES: Final = 16 << 20  # quantisation configs may list every layer; most files have 2 KiB
_MAX_NUMBER: Final = 1 << 31
_MAX_ITEMS: Final = 4096
_MAX_TEXT: Final = 200
_LANGUAGE: Final = ("text_config", "llm_config", "language_config", "language_model")
_VISION: Final = ("vision_config", "vision_encoder", "vit_config", "visual", "vision_tower_config")


class ConfigError(ValueError):
    """The text is no JSON object, or larger than any real one."""


class Section(msgspec.Struct, frozen=True):
    """One object of the file. Every accessor takes several names and answers for the first that has a usable value."""

    values: Mapping[str, object]

    def number(self, *names: str) -> int | None:
        """A positive whole number of at most 31 bits."""
        for name in names:
            value = _whole(self.values.get(name))
            if value:
                return value
        return None

    def count(self, *names: str) -> int | None:
        """The same, with 0 allowed."""
        for name in names:
            value = _whole(self.values.get(name))
            if value is not None:
                return value
        return None

    def real(self, *names: str) -> float | None:
        """A positive number."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12:
                return float(value)
        return None

    def flag(self, name: str) -> bool | None:
        """True, false, or not said."""
        value = self.values.get(name)
        return value if isinstance(value, bool) else None

    def text(self, *names: str) -> str:
        """A text, cut to a length that names have; "" where there is none."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, str):
                return value[:_MAX_TEXT]
        return ""

    def numbers(self, name: str) -> tuple[int, ...]:
        """A list of whole numbers; empty where any of them is something else."""
        value = self.values.get(name)
        if not isinstance(value, list) or len(value) > _MAX_ITEMS:
            return ()
        found = tuple(n for item in value if (n := _whole(item)) is not None)
        return found if len(found) == len(value) else ()

    def texts(self, *names: str) -> tuple[str, ...]:
        """A list of texts; others in it are left out."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, list):
                return tuple(item[:_MAX_TEXT] for item in value[: _MAX_ITEMS * 16] if isinstance(item, str))
        return ()

    def section(self, *names: str) -> Section | None:
        """An object within this one; an empty one counts as none."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, dict) and value:
                return Section(value)
        return None

    def sections(self, name: str) -> tuple[Section, ...]:
        """The objects of a list, or of an object of objects."""
        value = self.values.get(name)
        items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return tuple(Section(item) for item in items[:_MAX_ITEMS] if isinstance(item, dict))


class ModelConfig(msgspec.Struct, frozen=True):
    """`language` is the part with the decoder: the whole file, or the object that multimodal models keep it in."""

    whole: Section
    language: Section
    vision: Section | None = None
    audio: Section | None = None

    @property
    def family(self) -> str:
        """The `model_type` of the decoder, lower case."""
        return (self.language.text("model_type") or self.whole.text("model_type")).lower()

    @property
    def quantization(self) -> Section | None:
        """How the weights are stored, wherever the file says it."""
        names = ("quantization_config", "compression_config")
        return self.whole.section(*names) or self.language.section(*names)


def read_section(text: str | bytes) -> Section:
    """Any JSON object. Raises ConfigError."""
    if len(text) > MAX_BYTES:
        raise ConfigError(f"is larger than {MAX_BYTES >> 20} MiB")
    try:
        return Section(msgspec.json.decode(text, type=dict[str, object]))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        lenient = _with_infinity(text)
        if lenient is None:
            raise ConfigError(f"is no JSON object: {str(error)[:160]}") from error
        return lenient


def _with_infinity(text: str | bytes) -> Section | None:
    """Configurations of state-space models hold a bare Infinity, as Python writes it: time_step_limit."""
    if (b"Infinity" not in text and b"NaN" not in text) if isinstance(text, bytes) else "Infinity" not in text:
        return None
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return Section(found) if isinstance(found, dict) else None


def read_model_config(text: str | bytes) -> ModelConfig:
    """Raises ConfigError. A file without any shape is read too: whoever asks finds nothing in it."""
    whole = read_section(text)
    thinker = whole.section("thinker_config")  # Qwen-Omni keeps all of its understanding part there
    outer = thinker or whole
    return ModelConfig(
        whole=whole,
        language=outer.section(*_LANGUAGE) or outer,
        vision=outer.section(*_VISION),
        audio=outer.section("audio_config", "audio_encoder"),
    )


def _whole(value: object) -> int | None:
    # Some configurations write 1e4 or 128.0 for whole numbers.
    if isinstance(value, float) and value.is_integer() and abs(value) < _MAX_NUMBER:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_NUMBER else None
