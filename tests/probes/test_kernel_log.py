"""Who may read the kernel log, and what is said where nobody may."""

from __future__ import annotations

import pytest

from gpudoctor.host import Command, HostError, LocalHost
from gpudoctor.host.replay import ReplayHost
from gpudoctor.probes.kernel_log import DMESG, JOURNAL, collect
from tests.probes.tree import REQUEST, Tree

XID = "[1.0] NVRM: Xid (PCI:0000:9b:00): 79, GPU has fallen off the bus."
REFUSED = Command(1, "", "dmesg: read kernel buffer failed: Operation not permitted\n")
Answer = Command | HostError


def host(dmesg: Answer | None = None, journal: Answer | None = None) -> ReplayHost:
    answers = {" ".join(DMESG): dmesg, " ".join(JOURNAL): journal}
    return ReplayHost("/nonexistent", {name: answer for name, answer in answers.items() if answer is not None})


def test_dmesg_comes_first() -> None:
    log = collect(host(Command(0, XID, ""), Command(0, "", "")), REQUEST)

    assert log.source.value == "dmesg"
    assert log.fell_off_bus.value == ("0000:9b:00.0",)


def test_the_journal_where_dmesg_is_refused() -> None:
    log = collect(
        host(REFUSED, Command(0, "-- Journal begins at Mon --\n" + XID.replace("]", "] box kernel:"), "")), REQUEST
    )

    assert log.source.value == "journalctl"
    assert log.fell_off_bus.value == ("0000:9b:00.0",)


@pytest.mark.parametrize(
    "journal",
    [
        None,
        Command(
            0, "-- No entries --\n", "Hint: You are currently not seeing messages from other users and the system."
        ),
        Command(1, "", "No journal files were opened due to insufficient permissions.\n"),
        HostError("timeout", "journalctl did not answer within 2.5 s"),
    ],
)
def test_where_nobody_may_read_it_the_way_out_is_named(journal: Answer | None) -> None:
    log = collect(host(REFUSED, journal), REQUEST)

    for name in log.__struct_fields__:
        fact = getattr(log, name)
        assert fact.absent == "no_permission"
        assert "sudo dmesg" in fact.detail


def test_a_machine_without_the_tools() -> None:
    assert collect(host(), REQUEST).xids.absent == "tool_missing"


def test_a_hanging_dmesg_is_a_timeout() -> None:
    assert collect(host(HostError("timeout", "dmesg did not answer")), REQUEST).xids.absent == "timeout"


def test_this_machine_is_read_or_says_why_not() -> None:
    log = collect(LocalHost(), REQUEST)

    assert log.source.or_none() in {"dmesg", "journalctl", None}
    assert log.xids.known is log.source.known


def test_events_are_dated_by_the_uptime(tree: Tree) -> None:
    tree.file("/proc/uptime", "3601.97 14000.00\n")
    log = collect(ReplayHost(str(tree.root), {" ".join(DMESG): Command(0, XID, "")}), REQUEST)
    assert [xid.seconds_ago.or_none() for xid in log.xids.or_none() or ()] == [3600]


@pytest.mark.parametrize("text", ["nan 1", "-5.0 1", "x", "", "9" * 400])
def test_an_uptime_that_is_none_dates_nothing(tree: Tree, text: str) -> None:
    tree.file("/proc/uptime", text)
    log = collect(ReplayHost(str(tree.root), {" ".join(DMESG): Command(0, XID, "")}), REQUEST)
    assert [xid.seconds_ago.known for xid in log.xids.or_none() or ()] == [False]
