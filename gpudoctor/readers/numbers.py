"""Numbers as the kernel writes them. What does not fit into 64 bits is garbage, not a number."""

from __future__ import annotations

_MAX = (1 << 63) - 1
_MAX_DIGITS = 24
_MAX_LIST = 1 << 16


def integer(text: str, base: int = 10) -> int:
    """One number, at most 64 bits signed. Raises ValueError."""
    text = text.strip()
    if len(text) > _MAX_DIGITS:
        raise ValueError("too long for a number")
    number = int(text, base)
    if not -_MAX - 1 <= number <= _MAX:
        raise ValueError("does not fit into 64 bits")
    return number


def number_list(text: str) -> tuple[int, ...]:
    """The numbers of "0-3,8", as in /sys and /proc. Raises ValueError."""
    numbers: list[int] = []
    for part in text.strip().split(","):
        if not part.strip():
            continue
        first, _, last = part.partition("-")
        low, high = integer(first), integer(last or first)
        if low < 0 or not 0 <= high - low < _MAX_LIST or len(numbers) > _MAX_LIST:
            raise ValueError("not a list of numbers")
        numbers.extend(range(low, high + 1))
    return tuple(numbers)
