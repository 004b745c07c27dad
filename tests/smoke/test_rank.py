"""A rank as the launcher sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gpudoctor.smoke.plan import Member
from gpudoctor.smoke.rank import RankProcess

LAST_WORDS = b'{"event":"phase","phase":"done"}\n'


@pytest.fixture
def ended() -> Iterator[RankProcess]:
    """It has written its last words and ended; the launcher has not yet read them."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    script = f"import os; os.write({write_end}, {LAST_WORDS!r}); print('printed')"
    process = subprocess.Popen([sys.executable, "-c", script], pass_fds=(write_end,), stdout=subprocess.PIPE)
    os.close(write_end)
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    rank = RankProcess(Member(0, 0, 2, 2, "127.0.0.1", 1), process, read_end, 0.0, 0.0)
    yield rank
    rank.close()


def test_last_words_count_as_soon_as_its_end_is_known(ended: RankProcess) -> None:
    assert not ended.done
    assert ended.poll()
    assert ended.done
    assert ended.output == b"printed\n"


def test_an_end_without_last_words_is_none(ended: RankProcess) -> None:
    os.read(ended.pipe, 1 << 16)
    assert ended.poll()
    assert not ended.done
