"""Short logs for tests, and readers with signatures of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gpudoctor.logs.scan import Scanned, Scanner
from gpudoctor.model.signature import Signature
from gpudoctor.readers.document import Document

OUT_OF_MEMORY = Signature("oom__memory", r"CUDA out of memory\. Tried to allocate (?P<size>[\d.]+ \w+)")
TIME_OUT = Signature("late__watchdog", r"Watchdog caught collective operation timeout", "echo")
PLUGIN = Signature("plugin__none", r"NET/Plugin.*No plugin found", "harmless", "", "optional")
PLUGIN_LOOSE = Signature("loose__plugin", r"No plugin found")
GUARDED = Signature("guarded__error", r"device error (?P<code>\d+)", unless="expected device error")
ALL = (OUT_OF_MEMORY, TIME_OUT, PLUGIN, PLUGIN_LOOSE, GUARDED)


def scan(text: str | bytes, signatures: Sequence[Signature] = ALL, documents: Sequence[Document] = ()) -> Scanned:
    """Scan one text in a single piece."""
    data = text.encode() if isinstance(text, str) else text
    return Scanner(signatures, documents).scan("log.txt", iter([data]))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """The text as a pipe may give it."""
    for place in range(0, len(data), size):
        yield data[place : place + size]
