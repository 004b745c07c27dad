"""Messages through a pipe come as they went, whoever reads how slowly."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.host.frames import MAX_BYTES, Frames, Outgoing, send

MESSAGES = [b"", b"one", b"x" * 300_000, b"last"]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_messages_come_whole_however_they_are_cut(messages: list[bytes], piece: int) -> None:
    reader, writer = os.pipe()
    for message in messages[:200]:
        send(message, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        data = stream.read()
    frames = Frames()
    assert [m for i in range(0, len(data), piece) for m in frames.feed(data[i : i + piece])] == messages[:200]


def test_a_message_longer_than_any_of_ours_is_refused() -> None:
    with pytest.raises(ValueError, match="a message of"):
        Frames().feed((MAX_BYTES + 1).to_bytes(4, "big"))


def test_nobody_waits_for_a_reader_until_the_end(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    outgoing = Outgoing(writer)
    for message in MESSAGES:
        outgoing.send(message)  # the pipe is full long before; this would hang
    pid = os.fork()
    if pid == 0:
        try:
            outgoing.finish()
        finally:
            os._exit(0)
    frames = Frames()
    received: list[bytes] = []
    while len(received) < len(MESSAGES):
        received += frames.feed(os.read(reader, 1000))
    assert received == MESSAGES
    assert os.waitpid(pid, 0)[1] == 0


def test_a_reader_that_is_gone_is_an_error(pipe: tuple[int, int]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        Outgoing(writer).send(b"x")
    os.close(writer)
