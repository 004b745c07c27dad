"""Which row of the model table a name means: the model itself, or one that only differs in its weights.

Never by likeness: the words of the name that carry the family, version and size have to agree one by one.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from gpudoctor.data.models import ModelRow, rows
from gpudoctor.fit.packing import named

_MAX_NAME: Final = 256
_GGUF_TYPE = re.compile(r"[-_.:](?:UD[-_])?(?:i?q\d[a-z0-9_]*|[bf]{1,2}16|tq\d_\d|mxfp4)$", re.IGNORECASE)
_GGUF_PART = re.compile(r"-\d{5}-of-\d{5}$")
_HUB_CACHE = re.compile(r"models--([^/]+?)--([^/]+)")
_UNDERSCORE_VERSION = re.compile(r"(?<=\d)_(?=\d)")
_FAMILY_VERSION = re.compile(r"(llama|qwen|gemma|phi|mistral|glm|internlm|falcon|yi|codellama)(v?\d.*)")
_SIZE = re.compile(r"\d+(?:\.\d+)?[bm]|\d+x\d+b|a\d+(?:\.\d+)?b")
_DATE = re.compile(r"v?(?:0[1-9]|1[0-2]|2[3-6])\d\d")  # 0324, 2407: month and day, or year and month
# How the weights are stored or were tuned: the shape is the same with and without these words.
_SAME_SHAPE = re.compile(
    r"instruct|inst|chat|it|base|hf|pt|sft|dpo|orpo|rlhf|preview|latest|thinking|reasoning|uncensored|abliterated|meta|"
    r"awq|gptq|marlin|gguf|exl[23]|mlx|bnb|hqq|nf4|nvfp4|mxfp4|fp8|fp16|bf16|int[2-8]|[2-8]bit|w\d+a\d+|q\d|quantized|"
    r"quantized\.w\d+a\d+|dynamic|static|per|tensor|channel|g\d{2,3}|\d{2,3}g|\d+(?:\.\d+)?bpw|\d+(?:\.\d+)?bit|unsloth|"
    r"autoround|text|only"
)
# A name with one of these words is another network, though it contains the name of a known one.
_OTHER_SHAPE: Final = frozenset(
    {
        "adapter", "audio", "depth", "draft", "eagle", "eagle3", "embed", "embedding", "expanded", "frankenmerge",
        "half", "llava", "lora", "medusa", "merge", "mini", "minitron", "moe", "mtp", "omni", "pruned", "qlora",
        "reranker", "solar", "speculator", "speech", "upscaled", "vision", "vl", "width",
    }
)  # fmt: skip


class Match(Struct, frozen=True):
    """A row and how it was found: exact | relative."""

    row: ModelRow
    by: str


def resolve(name: str) -> Match | None:
    """The row of a model id, folder or file name; None where the table has no certain answer."""
    plain = _plain(name)
    if not plain:
        return None
    for row in rows():
        if row.id.lower() == plain.lower():
            return Match(row, "exact")
    tail = plain.rpartition("/")[2].lower()
    for row in rows():
        if row.id.rpartition("/")[2].lower() == tail:
            return Match(row, "relative")
    return _related(tail)


def _plain(name: str) -> str:
    """`org/model` out of an id, a path, a path in the hub's cache or a GGUF file's name."""
    name = name.strip()[:_MAX_NAME]
    cached = _HUB_CACHE.search(name)
    if cached:
        return f"{cached.group(1)}/{cached.group(2)}"
    parts = [p for p in name.split("/") if p]
    if not parts:
        return ""
    return "/".join(parts[-2:]) if len(parts) == 2 and not name.startswith(("/", ".", "~")) else parts[-1]


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name: `Meta-Llama-3.1-70B` and `llama3.1:70b` have the same ones but for "meta"."""
    name = name.lower().removesuffix(".gguf")
    name = _GGUF_PART.sub("", name)
    name = _GGUF_TYPE.sub("", name)
    name = _UNDERSCORE_VERSION.sub(".", name)
    words: list[str] = []
    for word in re.split(r"[-_:/ @]+", name):
        family = _FAMILY_VERSION.fullmatch(word)
        words.extend(family.groups() if family else (word,))
    return tuple(w for w in words if w)


def _key(words: tuple[str, ...], *, dated: bool) -> tuple[str, ...]:
    return tuple(w for w in words if not _SAME_SHAPE.fullmatch(w) and (dated or not _DATE.fullmatch(w)))


def _related(tail: str) -> Match | None:
    words = words_of(tail)
    for dated in (True, False):
        key = _key(words, dated=dated)
        if not key:
            return None
        same = [row for row in rows() if any(_could_be(n, key, dated=dated) for n in _names(row))]
        if same:
            return _one_shape(same)
    return _containing(_key(words, dated=False))


def _could_be(name: str, key: tuple[str, ...], *, dated: bool) -> bool:
    """Whether a name has this key; taking it apart is left for names that have all of its words somewhere."""
    low = name.lower().replace("_", ".")
    return all(word in low for word in key) and _key(words_of(name), dated=dated) == key


def _names(row: ModelRow) -> tuple[str, ...]:
    return (row.id.rpartition("/")[2], *row.same_shape)


def _one_shape(found: list[ModelRow]) -> Match | None:
    """The plainest of rows that agree in their shape."""
    shapes = {
        (r.num_hidden_layers, r.num_attention_heads, r.num_key_value_heads, r.hidden_size, r.moe_intermediate_size)
        for r in found
    }
    if len(shapes) > 1:
        return None
    plainest = min(found, key=lambda r: (named(r.id) is not None, r.quantization_config is not None, len(r.id)))
    return Match(plainest, "relative")


def _containing(key: tuple[str, ...]) -> Match | None:
    """A fine-tune that carries its base's name whole, such as Hermes-3-Llama-3.1-70B."""
    best: tuple[int, list[ModelRow]] = (0, [])
    sizes = [word for word in key if _SIZE.fullmatch(word)]
    for row in rows():
        for name in _names(row):
            if not any(size in name.lower() for size in sizes):
                continue
            base = _key(words_of(name), dated=False)
            if _carries(key, base) and len(base) >= best[0]:
                best = (len(base), [*(best[1] if len(base) == best[0] else []), row])
    return _one_shape(best[1]) if best[1] else None


def _carries(key: tuple[str, ...], base: tuple[str, ...]) -> bool:
    if len(base) < 2 or not any(_SIZE.fullmatch(w) for w in base):
        return False
    for start in range(len(key) - len(base) + 1):
        if key[start : start + len(base)] == base:
            rest = key[:start] + key[start + len(base) :]
            return not any(_SIZE.fullmatch(w) or w in _OTHER_SHAPE for w in rest)
    return False
