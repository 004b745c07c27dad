"""What was sent from one rank to one other, compared with what is there."""

from __future__ import annotations

from .channel import Channel
from .opaque import Tensor
from .patterns import Patterns

DTYPE = "fp32"
ELEMENT_BYTES = 4


def report_wrong(
    channel: Channel, patterns: Patterns, data: Tensor, op: str, source: int, target: int, number: int
) -> bool:
    """Compare every element with what the source holds; whether something is wrong."""
    expected = patterns.of_rank(DTYPE, source)
    found = patterns.compare(data, expected(number), lambda: [expected(number - 1)])
    if found:
        channel.tell(
            "wrong",
            op=op,
            variant="%d to %d" % (source, target),
            dtype=DTYPE,
            bytes=data.numel() * ELEMENT_BYTES,
            round=number,
            offset=found.first,
            count=found.elements,
            elements=data.numel(),
            kind=found.kind,
        )
    return bool(found)
