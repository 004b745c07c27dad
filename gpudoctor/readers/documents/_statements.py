"""One line that states something about the machine, as people and reports write it → (what, value) pairs.

Nothing is guessed: a line whose beginning is no statement of a known form gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from gpudoctor.readers.documents._gpu_names import looks_like_gpu, tidy
from gpudoctor.readers.documents._statement_keys import KEYS, VERSIONED, WHOLE_LINE
from gpudoctor.readers.documents._text import bare

_VERSION = re.compile(r"v?(\d{1,4}(?:\.\d{1,6}){1,4}[\w.+~-]{0,60})")
_VERSION_FIRST = re.compile(rf"[A-Za-z][A-Za-z ]{{0,12}}[ ]{_VERSION.pattern}|{_VERSION.pattern}")
_KEYED = re.compile(r"([\w/][\w ./()?-]{0,48}?) ?(?::|=| is(?= \d)) ?(\S.{0,280})")
_NAMED = re.compile(r"([A-Za-z][\w -]{0,40}?)[ -]v?(\d{1,4}\.\d{1,6}\S{0,80})(?: .{0,120})?")
_DOTS = re.compile(r" ?\.{3,200} ?")
_BEFORE_COLON = re.compile(r"[ \t]{1,200}:(?= |$)")
_AFTER_COLON = re.compile(r":[ \t]{2,200}")
_BULLET = re.compile(r"(?:[-*•+>#]{1,3} |\d{1,2}[.)] )?")
_LEAD = re.compile(
    r"(?:I(?:'m| am)|[Ww]e(?:'re| are)) (?:using|running)(?: on| with)? |(?:[Uu]sing|[Rr]unning on) |and "
)
_MARKS = re.compile(r"[`*]{1,3}")
_PARTS = re.compile(r"(?:, |; |\t|  | \| )\s{0,200}")
_ASIDE = re.compile(r"\([^()]{0,200}\)")
_MAX_STATEMENT = 320
_NUMBERS = {"dual": 2, "two": 2, "three": 3, "quad": 4, "four": 4, "six": 6, "eight": 8, "single": 1, "one": 1}
_COUNT_FIRST = re.compile(
    r"(\d{1,2}|dual|two|three|quad|four|six|eight|single|one) ?(?:[x\u00d7*\u2715]|pcs)? ?(?=[A-Z])(.{2,90})", re.I
)
_COUNT_LAST = re.compile(r"(.{2,80}?) ?(?:[x\u00d7*\u2715] ?(\d{1,2})|\((?:[x\u00d7] ?)?(\d{1,2})(?: ?x)?\))")


class Statement(Struct, frozen=True):
    """`what` is one of the words of the tables here; `gpu` statements have a `count`, 0 where none is told."""

    what: str
    value: str
    count: int = 0


def statements(line: str) -> tuple[Statement, ...]:
    """What a line states; empty for a line that does not begin with a statement."""
    text = _MARKS.sub("", _BULLET.sub("", bare(line), count=1))
    lead = _LEAD.match(text)
    text = text[lead.end() :] if lead else text
    text = _AFTER_COLON.sub(": ", _DOTS.sub(": ", _BEFORE_COLON.sub(":", text, count=1), count=1), count=1)
    if not 4 <= len(text) <= _MAX_STATEMENT:
        return ()
    found: list[Statement] = []
    for number, part in enumerate(_parts(text)):
        listing = bool(found) and found[0].what == "gpu"
        here = tuple(_part(part)) or (tuple(_gpus(part, told=True)) if listing else ())
        if not here and number == 0:
            return ()
        found += here
    return tuple(found)


def _parts(text: str) -> list[str]:
    """Parts of a line that states several things; commas inside brackets do not count."""
    key = _KEYED.fullmatch(text)
    if key is not None and KEYS.get(_key(key.group(1))) in WHOLE_LINE:
        return [text]
    asides = _ASIDE.findall(text)[:20]
    masked = _ASIDE.sub(lambda match: "\x00" * len(match.group()), text) if asides else text
    parts, start = [], 0
    for match in _PARTS.finditer(masked):
        parts.append(text[start : match.start()].strip())
        start = match.end()
    return [part for part in [*parts, text[start:].strip()] if part][:16]


def _key(text: str) -> str:
    """`PyTorch version (GPU?)` → pytorch version."""
    return _KEY_ASIDE.sub("", text).strip().lower()


_KEY_ASIDE = re.compile(r" \((?!/dev)[^()]{0,30}\)$")


def _part(part: str) -> Iterator[Statement]:
    match = _KEYED.fullmatch(part)
    what = KEYS.get(_key(match.group(1))) if match else None
    if match is not None and what is not None:
        yield from _keyed(what, match.group(2).strip())
        return
    match = _NAMED.fullmatch(part)
    what = KEYS.get(_key(match.group(1))) if match else None
    if match is not None and what in VERSIONED:
        yield from _keyed(what, match.group(2))
        return
    yield from _gpus(part, told=False)
    if "WSL2" in part or part == "WSL 2":
        yield Statement("wsl", "2")


def _keyed(what: str, value: str) -> Iterator[Statement]:
    if what == "gpu":
        yield from _gpus(value, told=True)
    elif what in VERSIONED:
        match = _VERSION_FIRST.match(value)
        several = len(_VERSION.findall(value)) > 1 and re.search(r" / |, ", value)
        if match is not None and not several:
            yield Statement(what, (match.group(1) or match.group(2)).rstrip(".,"))
        elif what == "torch_cuda" and value in ("None", "N/A", "Could not collect"):
            yield Statement(what, "none" if value == "None" else "")
    elif value not in ("N/A", "Could not collect", "None"):
        yield Statement(what, value)


def _gpus(text: str, *, told: bool) -> Iterator[Statement]:
    """`4x NVIDIA A10 (24 GB each)`, `RTX 3090 x2`, `dual RTX 4090`; a name alone only where a key asks for GPUs."""
    text = re.sub(r"^(?:GPUs?|NVIDIA GPUs?) ", "", text)
    memory = " ".join(_ASIDE.findall(text)[:2])
    plain = _ASIDE.sub(" ", text).strip() if not _COUNT_LAST.fullmatch(text) else text
    first = _COUNT_FIRST.fullmatch(plain)
    last = _COUNT_LAST.fullmatch(plain)
    if first is not None and _is_card(first.group(2)):
        word = first.group(1).lower()
        yield Statement("gpu", f"{tidy(first.group(2))}\t{memory}", int(word) if word.isdigit() else _NUMBERS[word])
    elif last is not None and _is_card(last.group(1)):
        yield Statement("gpu", f"{tidy(last.group(1))}\t{memory}", int(last.group(2) or last.group(3)))
    elif told and _is_card(plain):
        yield Statement("gpu", f"{tidy(plain)}\t{memory}")


def _is_card(text: str) -> bool:
    """A GPU and no machine: 2x DGX A100 are sixteen GPUs."""
    return looks_like_gpu(text) and not text.upper().removeprefix("NVIDIA ").startswith(("DGX", "HGX"))
