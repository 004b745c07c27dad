"""Whatever ends a run: no process, segment, file or port of it is left, and nothing of others is taken away."""

from __future__ import annotations

import mmap
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpudoctor.smoke import segments
from gpudoctor.smoke.port import free_port
from tests.smoke.runs import FAULTY, HANG_S, gone, names, needs_torch, run, start_and_signal

pytestmark = needs_torch


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_launcher_that_is_ended_leaves_nothing(number: signal.Signals, code: int, tmp_path: Path) -> None:
    mark = f"launcher-{os.getpid()}-{number}"
    before = names(mark)
    process = start_and_signal(number, mark, tmp_path / "litter")
    process.communicate(timeout=20)
    assert process.returncode == code
    assert gone(mark)
    assert names(mark) - before == set()


@pytest.mark.parametrize(("fault", "verdict"), [("litter", "hang"), ("litter_killed", "crash")])
def test_what_a_rank_started_and_made_goes_with_it(fault: str, verdict: str, tmp_path: Path) -> None:
    litter = tmp_path / "litter"
    done = run(worker=FAULTY, timeout_s=HANG_S, FAULT=fault, FAULT_PHASE="comm_init", LITTER_FILE=str(litter))
    assert (done.smoke["verdict"], done.finding["subject"]) == (verdict, "rank:1")
    assert not Path(litter.read_text()).exists()
    assert done.leftovers == ()


def test_a_crash_leaves_no_core_file() -> None:
    done = run(worker=FAULTY, prefix=["prlimit", "--core=unlimited"], FAULT="segfault", FAULT_PHASE="correctness")
    assert (done.smoke["verdict"], done.leftovers) == ("crash", ())


@pytest.fixture
def segment() -> Iterator[Path]:
    file, path = tempfile.mkstemp(prefix="nccl-of-foreign-of-", dir="/dev/shm")
    os.ftruncate(file, 4096)
    with mmap.mmap(file, 4096):
        os.close(file)
        yield Path(path)
    Path(path).unlink(missing_ok=True)


def test_segments_of_others_stay(segment: Path, tmp_path: Path) -> None:
    """One in use that came meanwhile."""
    run(worker=FAULTY, FAULT="litter_killed", FAULT_PHASE="comm_init", LITTER_FILE=str(tmp_path / "litter"))
    assert segment.exists()


def test_what_was_there_before_stays_though_nobody_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own: in /dev/shm a run beside us, which began earlier, may rightly take it away."""
    monkeypatch.setattr(segments, "FOLDER", str(tmp_path))
    (tmp_path / "nccl-old").touch()
    before = segments.listed()
    (tmp_path / "nccl-new").touch()
    (tmp_path / "other").touch()
    segments.sweep(before, 0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nccl-old", "other"]


def test_the_port_is_free_again_at_once() -> None:
    port = str(free_port())
    for fault in ("kill", "none", "none"):
        done = run("--master-port", port, "--max-bytes", "4K", worker=FAULTY, FAULT=fault, FAULT_PHASE="correctness")
        assert done.smoke["phase"] == ("correctness" if fault == "kill" else "done")
