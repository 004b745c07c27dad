"""Probes hang, crash, raise and lie; the examination ends on time and says so by name."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.local import LocalHost
from gpudoctor.host.marker import calling
from gpudoctor.host.probe import Probe, Request
from gpudoctor.model.fact import known
from gpudoctor.model.facts.section import Section
from gpudoctor.model.facts.shm import Shm
from gpudoctor.model.probe_result import ProbeResult
from tests.host.examination import Examination, examination


def good(host: Host, request: Request) -> Shm:
    return Shm(size_bytes=known(7, "test"))


def hang(host: Host, request: Request) -> Shm:
    time.sleep(600)
    return Shm()


def segfault(host: Host, request: Request) -> Shm:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    ctypes.string_at(0)
    return Shm()


def raise_error(host: Host, request: Request) -> Shm:
    raise ValueError("no such thing")


def leave(host: Host, request: Request) -> Shm:
    os._exit(4)


def two_bad_calls(host: Host, request: Request) -> Shm:
    """One function crashes, another hangs; without both there is an answer."""
    for name, bad in (("libCrash", segfault), ("libHang", hang), ("libFine", None)):
        if name in request.skip_calls:
            continue
        calling(name)
        if bad is not None:
            bad(host, request)
    return Shm(size_bytes=known(len(request.skip_calls), "test"))


def hang_with_grandchild(host: Host, request: Request) -> Shm:
    host.run(["sleep", "601.25"], timeout_s=600)
    return Shm()


Collector = Callable[[Host, Request], Section]


def probe(
    name: str,
    collect: Collector,
    timeout_s: float = 0.6,
    *,
    isolated: bool = True,
    marker: bool = False,
) -> Probe:
    return Probe(name, Shm, collect, timeout_s=timeout_s, isolated=isolated, marker=marker)


def run(*probes: Probe, timeout_s: float = 20.0, quick: bool = False) -> Examination:
    return examination(LocalHost(), probes, Request(quick=quick), timeout_s=timeout_s)


def result(found: Examination, name: str) -> ProbeResult:
    return next(result for result in found.results if result.name == name)


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize(
    ("collect", "status", "says"),
    [
        (hang, "timeout", "did not answer"),
        (segfault, "failed", "SIGSEGV"),
        (raise_error, "failed", "ValueError: no such thing"),
        (leave, "failed", "status 4"),
    ],
)
def test_a_bad_probe_is_named_and_the_others_are_kept(
    collect: Collector, status: str, says: str, isolated: bool
) -> None:
    seen = run(
        probe("before", good, isolated=isolated),
        probe("bad", collect, isolated=isolated),
        probe("after", good, isolated=isolated),
    )
    bad = result(seen, "bad")
    assert (bad.status, says in bad.reason) == (status, True), bad
    assert sorted(seen.sections) == ["after", "before"]
    assert [entry.name for entry in seen.results] == ["before", "bad", "after"]


def test_calls_that_crash_or_hang_are_left_out_and_the_rest_is_collected() -> None:
    seen = examination(LocalHost(), [probe("nvml", two_bad_calls, 30, marker=True)], Request(), timeout_s=3)
    assert seen.sections["nvml"] == Shm(size_bytes=known(2, "test"))
    reason = result(seen, "nvml").reason
    assert "SIGSEGV in libCrash" in reason
    assert "libHang did not return" in reason


def test_the_total_time_limit_holds_whatever_the_probes_ask_for() -> None:
    started = time.monotonic()
    seen = run(probe("slow", hang, 500), probe("good", good), timeout_s=3)
    # Two seconds is the promise of `--timeout`; it is a bound of the product, not a measurement.
    assert time.monotonic() - started < 5
    assert [entry.status for entry in seen.results] == ["timeout", "ok"]


def test_what_a_hung_probe_started_is_killed_with_it() -> None:
    run(probe("hang", hang_with_grandchild, 0.4))
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 601.25" not in listing


def test_children_die_with_a_killed_parent() -> None:
    script = (
        "import sys; 0\n"
        "from tests.host.test_schedule import *\n"
        "print('ready', flush=True)\n"
        "run(probe('hang', hang_with_grandchild, 500), timeout_s=500)\n"
    )
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    for _ in range(100):
        if "sleep 601.25" in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout:
            break
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(100):
        listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        if "sleep 601.25" not in listing:
            break
        time.sleep(0.05)
    assert "sleep 601.25" not in listing


def test_quick_skips_slow_probes_and_says_so() -> None:
    slow = Probe("slow", Shm, good, slow=True)
    seen = run(slow, quick=True)
    assert seen.results == (ProbeResult("slow", "skipped", 0.0, "left out by --quick"),)


def test_a_command_is_bounded_in_time_and_says_so() -> None:
    with pytest.raises(HostError) as caught:
        LocalHost().run(["sleep", "30"], timeout_s=0.2)
    assert caught.value.reason == "timeout"


def test_a_missing_command_is_a_missing_tool() -> None:
    with pytest.raises(HostError) as caught:
        LocalHost().run(["/nonexistent/tool"], timeout_s=1)
    assert caught.value.reason == "tool_missing"


def main(collect: Collector = good, *, complete: bool) -> Probe:
    return Probe(name="main", section=Shm, collect=collect, isolated=True, is_complete=lambda _: complete)


OTHER = Probe(name="other", section=Shm, collect=good, isolated=True, stands_in_for="main")


def test_with_quick_a_stand_in_is_left_out_where_nothing_is_left_to_ask() -> None:
    found = run(main(complete=True), OTHER, quick=True)
    assert [(result.name, result.status) for result in found.results] == [("main", "ok"), ("other", "skipped")]
    assert found.results[1].reason == "main has answered, and --quick asks once"
    assert "other" not in found.sections


@pytest.mark.parametrize(
    "asked",
    [main(complete=False), main(segfault, complete=True), main(leave, complete=True)],
    ids=["part", "crash", "end"],
)
def test_with_quick_a_stand_in_is_asked_where_something_is(asked: Probe) -> None:
    found = run(OTHER, asked, quick=True)
    assert found.results[0].status == "ok"
    assert "other" in found.sections


def test_without_quick_every_probe_is_asked() -> None:
    assert [result.status for result in run(main(complete=True), OTHER).results] == ["ok", "ok"]


def test_a_stand_in_for_a_probe_that_is_not_asked_is_asked() -> None:
    assert [result.status for result in run(OTHER, quick=True).results] == ["ok"]


def own_pid(host: Host, request: Request) -> Shm:
    return Shm(size_bytes=known(os.getpid(), "test"))


@pytest.mark.parametrize("end", [hang, leave])
def test_what_comes_last_when_quick_keeps_nobody_waiting(end: Callable[[Host, Request], Shm]) -> None:
    probes = [
        Probe(name="bad", section=Shm, collect=end, isolated=True, last_when_quick=True, timeout_s=0.3),
        Probe(name="after", section=Shm, collect=own_pid, isolated=True, last_when_quick=True),
        Probe(name="plain", section=Shm, collect=own_pid),
    ]
    found = examination(LocalHost(), probes, Request(quick=True), timeout_s=10)
    assert [result.status == "ok" for result in found.results] == [False, True, True]
    assert set(found.sections) == {"after", "plain"}


@pytest.mark.parametrize("quick", [True, False])
def test_what_is_harmless_when_quick_shares_a_child_then(quick: bool) -> None:
    probes = [
        Probe(name="a", section=Shm, collect=own_pid),
        Probe(name="b", section=Shm, collect=own_pid, isolated=True, harmless_when_quick=True),
    ]
    found = examination(LocalHost(), probes, Request(quick=quick), timeout_s=10)
    pids = {section.size_bytes.value for section in found.sections.values() if isinstance(section, Shm)}
    assert len(pids) == (1 if quick else 2)


@pytest.mark.parametrize("quick", [True, False])
def test_what_comes_after_another_shares_its_child_when_quick(quick: bool) -> None:
    first = Probe(name="first", section=Shm, collect=own_pid, isolated=True)
    found = run(Probe("next", Shm, own_pid, isolated=True, after="first"), first, probe("other", own_pid), quick=quick)
    pids = {name: section.size_bytes.value for name, section in found.sections.items() if isinstance(section, Shm)}
    assert len(pids) == 3
    assert (pids["next"] == pids["first"]) is quick
    assert pids["other"] != pids["first"]


@pytest.mark.parametrize("end", [hang, leave, segfault])
def test_what_comes_after_another_is_asked_whatever_became_of_that(end: Collector) -> None:
    following = Probe("next", Shm, own_pid, isolated=True, after="first")
    found = run(following, probe("first", end, 0.3), quick=True)
    assert [result.status == "ok" for result in found.results] == [True, False]
    assert set(found.sections) == {"next"}


def slow_calls(host: Host, request: Request) -> Shm:
    """Each is slow and none hangs: no patience of a single call ends it."""
    for number in range(50):
        calling(f"libSlow{number}")
        time.sleep(0.2)
    return Shm()


def test_what_comes_after_another_has_its_time_where_that_takes_all_it_gets() -> None:
    slow = Probe("first", Shm, slow_calls, isolated=True, marker=True, timeout_s=40.0)
    following = Probe("next", Shm, own_pid, isolated=True, after="first")
    found = run(following, slow, quick=True, timeout_s=4)
    assert [result.status for result in found.results] == ["ok", "timeout"]


def test_what_comes_after_one_that_is_not_asked_comes_alone() -> None:
    found = run(Probe("next", Shm, own_pid, isolated=True, after="first"), quick=True)
    assert [result.status for result in found.results] == ["ok"]


def test_where_nothing_can_be_started_every_probe_says_so() -> None:
    """Also one that waits for another, which never ran."""
    script = """
import resource
from gpudoctor.host.local import LocalHost
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.schedule import examine
from gpudoctor.model.facts.shm import Shm
def collect(host, request): return Shm()
first = Probe(name="first", section=Shm, collect=collect)
second = Probe(name="second", section=Shm, collect=collect, stands_in_for="first")
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
for result in examine(LocalHost(), [first, second], Request(quick=True), timeout_s=5, bring=lambda *_: None):
    print(result.name, result.status, "could not be started" in result.reason)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["first failed True", "second failed True"]


def test_probes_that_wait_for_the_target_wait_together_and_nobody_else_with_them() -> None:
    probes = [
        Probe(name, Shm, own_pid, asks_target=asks)
        for name, asks in (("environment", True), ("memory", False), ("python", True), ("shm", False))
    ]
    sections = run(*probes).sections
    pids = {name: section.size_bytes.value for name, section in sections.items() if isinstance(section, Shm)}
    assert pids["environment"] == pids["python"] != pids["memory"] == pids["shm"]
