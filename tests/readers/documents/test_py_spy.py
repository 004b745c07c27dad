"""Stacks of py-spy: which rank waits for the others, and where the others are."""

from __future__ import annotations

from gpudoctor.model.facts import RankStack
from gpudoctor.readers.document import blocks
from gpudoctor.readers.documents.py_spy import DOCUMENT
from tests.readers.documents.reading import SAMPLES


def stacks(text: str) -> list[RankStack]:
    found = [DOCUMENT.read(block.lines).log.stacks.or_none() or () for block in blocks(text.splitlines(), [DOCUMENT])]
    return [stack for one in found for stack in one]


def test_main_threads_by_rank() -> None:
    first, second = stacks((SAMPLES / "py_spy.txt").read_text())
    assert (first.rank, first.pid, first.function, first.waits_in) == (0, 29513, "all_reduce", "all_reduce")
    assert first.place == "torch/distributed/distributed_c10d.py:3252"
    assert (second.rank, second.function, second.place, second.waits_in) == (1, "rank_main", "app/train.py:27", "")


def test_without_a_rank_and_without_a_main_thread() -> None:
    (stack,) = stacks("Process 7: python x.py\nPython v3.10.1\n\nThread 0x1 (idle)\n    wait (threading.py:327)\n")
    assert (stack.rank, stack.function, stack.waits_in) == (-1, "wait", "")


def test_set_up_is_no_wait() -> None:
    (stack,) = stacks(
        'Process 7: python x.py\nThread 1 (idle): "MainThread"\n'
        "    init_process_group (torch/distributed/distributed_c10d.py:1714)\n    main (x.py:3)\n"
    )
    assert stack.waits_in == ""


def test_a_head_without_a_stack_says_nothing() -> None:
    assert (
        stacks("Process 7: python x.py\nError: Permission Denied: Try running again with elevated permissions\n") == []
    )
