"""Text that is meant to hurt: bounded in memory, linear in time (checked by counting steps, not by a clock)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from subprocess import run
from sys import executable

import pytest

from gpudoctor.cli.findings.rule_set import reader_of, rule_set
from gpudoctor.logs.open import Source
from gpudoctor.logs.pattern import literals_of
from gpudoctor.logs.read import Reader, Reading


class Stream(Source):
    """Blocks that are made while they are read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__(None)
        self._blocks = blocks

    def blocks(self) -> Iterator[bytes]:
        return self._blocks


@pytest.fixture(scope="module")
def reader() -> Reader:
    return reader_of(rule_set((), logs=True).rules)


def read(reader: Reader, *blocks: bytes, times: int = 1) -> Reading:
    return reader.read([Stream(block for _ in range(times) for block in blocks)])


def test_a_hundred_thousand_ranks(reader: Reader) -> None:
    lines = "".join(f"[rank{i}]: CUDA out of memory. Tried to allocate 1.00 GiB\n" for i in range(100_000))
    reading = read(reader, lines.encode())
    assert len(reading.facts.log.ranks.or_none() or ()) == 1024
    assert len(reading.facts.log.first_errors.or_none() or ()) <= 256


def test_one_line_of_half_a_gigabyte(reader: Reader) -> None:
    reading = read(reader, b"A" * (1 << 20), times=500)
    assert reading.seen == {}
    assert reading.facts.log.lines.value == 1


def test_the_beginning_of_every_literal_over_and_over(reader: Reader) -> None:
    """A block of each literal without its last character: no line of it may be looked at."""
    signatures = [literals_of(rule.pattern) for one in rule_set((), logs=True).rules for rule in one.spec.signatures]
    for literals in signatures:
        for literal in literals:
            read(reader, (literal[:-1].encode() * 3000)[:20_000] + b"\n")


def test_every_literal_over_and_over_in_one_line(reader: Reader) -> None:
    for one in rule_set((), logs=True).rules:
        for signature in one.spec.signatures:
            for literal in literals_of(signature.pattern)[:2]:
                read(reader, (literal.encode() * 3000)[:40_000] + b"\n")


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A child of its own; its ru_maxrss would begin with that of whoever started it, VmHWM does not."""
    program = """
import re
from pathlib import Path
from gpudoctor.cli.findings.rule_set import reader_of, rule_set
from gpudoctor.logs.open import Source
class Stream(Source):
    def blocks(self):
        line = b'[rank%d]: NCCL INFO comm 0x%d rank 0 nranks 8 - Init COMPLETE CUDA out of memory x' * 3 + b'\\n'
        for i in range(300):
            yield line.replace(b'%d', b'%06d' % i) * 4000
reader = reader_of(rule_set((), logs=True).rules)
reader.read([Stream(None)])
print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024)
"""
    done = run([executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200


def test_deep_and_wide_json_is_no_document_that_hurts(reader: Reader) -> None:
    read(reader, b'{"a":' * 200_000 + b"\n", b"[" * 1_000_000 + b"\n")


def test_bytes_that_are_no_text_are_no_document(reader: Reader) -> None:
    noise = Random(3).randbytes(4 << 20)
    reading = read(reader, b"\n".join(noise[i : i + 300] + b"cpu: L4 x NVIDIA" for i in range(0, len(noise), 300)))
    assert not reading.recognised
