"""What hosts found when they called each other, and what it means when the run then fails."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.model.finding import Evidence, Fix
from gpudoctor.model.smoke import CallEnd, SmokeCall, SmokeReport
from gpudoctor.smoke.launch import Outcome
from gpudoctor.smoke.rank import Event
from gpudoctor.smoke.texts import Meaning

_WORDS: dict[CallEnd, str] = {
    "ok": "answered",
    "refused": "the connection was refused",
    "no_route": "there is no route to it",
    "no_answer": "nothing answered",
    "stalls": "it connected, and data of 64 KiB did not get through",
    "loopback": "not called: this address leads every host to itself",
    "unknown": "not called: the address that it would give to others is not known",
    "name": "the name does not resolve",
}
_MEANINGS: dict[CallEnd, Meaning] = {
    "loopback": Meaning(
        "network_interface", 0.95, "a host's name resolves to the loopback address, which no other host can reach"
    ),
    "stalls": Meaning(
        "network_interface", 0.9, "hosts connect, but larger packets are lost on the way (the MTU differs)"
    ),
    "refused": Meaning("rendezvous", 0.9, "hosts meet at the master's port, and are refused at every other one"),
    "no_answer": Meaning(
        "rendezvous", 0.9, "hosts meet at the master's port, and a firewall or a missing route blocks the others"
    ),
    "no_route": Meaning("network_interface", 0.9, "hosts give each other addresses to which there is no route"),
}
_MASTER = {
    "refused": Meaning("rendezvous", 0.85, "nobody listens at the master's address and port"),
    "no_answer": Meaning("rendezvous", 0.9, "the master's address does not answer: a firewall, or the wrong address"),
    "no_route": Meaning("rendezvous", 0.9, "there is no route to the master's address"),
    "name": Meaning("rendezvous", 0.95, "the master's name does not resolve on this host"),
    "ok": Meaning("rendezvous", 0.7, "the master's port answers, but not as a rendezvous: another program has it"),
}
_FAR_US = 5000.0  # a round trip inside one data centre takes well below a millisecond


def calls_of(outcome: Outcome) -> tuple[SmokeCall, ...]:
    """Who called whom, as far as this launcher heard; empty where all ranks are on one host."""
    told = [event for rank in outcome.ranks for event in rank.events if event.event == "reach"]
    return tuple(_call(event) for event in told)


def _call(event: Event) -> SmokeCall:
    ended: CallEnd = next((end for end in _WORDS if end == event.kind), "unknown")
    return SmokeCall(
        a=event.a,
        b=event.b,
        address=event.text[:64],
        ended=ended,
        round_trip_us=round(event.seconds * 1e6, 1) if event.seconds > 0 else None,
    )


def failed(report: SmokeReport) -> tuple[SmokeCall, ...]:
    """The calls that did not get through."""
    return tuple(call for call in report.calls if call.ended not in ("ok", "unknown"))


def meaning_of_calls(report: SmokeReport) -> Meaning | None:
    """What the calls say about a run that failed after the rendezvous; None where all got through."""
    return next((meaning for kind, meaning in _MEANINGS.items() if any(c.ended == kind for c in failed(report))), None)


def meaning_of_master(kind: str) -> Meaning | None:
    """What a rank found that waited for the master."""
    return _MASTER.get(kind)


def with_distance(report: SmokeReport) -> SmokeReport:
    """`slow` where hosts that reach each other are far apart: every small message takes a round trip or more."""
    return replace(report, verdict="slow") if report.verdict == "pass" and far(report) else report


def far(report: SmokeReport) -> Meaning | None:
    """What long round trips mean; None where they are short, or one host is all."""
    trips: dict[frozenset[int], float] = {}
    for call in report.calls:
        if call.round_trip_us is not None:  # the shorter of both directions: a busy host makes one of them long
            pair = frozenset((call.a, call.b))
            trips[pair] = min(call.round_trip_us, trips.get(pair, call.round_trip_us))
    longest_us = max(trips.values(), default=0.0)
    if longest_us <= _FAR_US:
        return None
    title = f"the hosts are far from each other: a round trip takes {longest_us / 1000:.0f} ms"
    return Meaning("slow_interconnect", 0.9, title)


def evidence_of_calls(report: SmokeReport) -> list[Evidence]:
    """One line for each call that failed, or that took long."""
    slow = [call for call in report.calls if (call.round_trip_us or 0) > _FAR_US]
    return [
        Evidence(label=f"rank {call.a} calls rank {call.b} at {call.address or '?'}", value=_said(call), source="smoke")
        for call in dict.fromkeys([*failed(report), *slow])
    ][:8]


def _said(call: SmokeCall) -> str:
    if call.ended == "ok" and call.round_trip_us:
        return f"a round trip takes {call.round_trip_us / 1000:.1f} ms"
    return _WORDS[call.ended]


def fixes_of_calls(report: SmokeReport) -> tuple[Fix, ...]:
    """What to do about the first kind of call that failed; none where all got through."""
    call = next((call for kind in _MEANINGS for call in failed(report) if call.ended == kind), None)
    if call is None:
        return ()
    if call.ended == "stalls":
        return (
            Fix(
                "Compare the MTU of both hosts and of the switch between them",
                f"ip -o link; ping -M do -s 8972 -c 3 {call.address}",
                caveat="8972 is for an MTU of 9000; 1472 must pass with 1500",
            ),
        )
    if call.ended in ("refused", "no_answer"):
        return (
            Fix(
                "Let the hosts reach each other on every TCP port: data goes to ports that are chosen anew each time",
                f"sudo ufw allow from {call.address}",
                caveat="on each host, with the address of the other; other firewalls have other commands",
                needs="root",
            ),
        )
    return (
        Fix(
            "Name the interface that the hosts share, on every host",
            "export GLOO_SOCKET_IFNAME=INTERFACE NCCL_SOCKET_IFNAME=INTERFACE",
            caveat="`ip -brief address` shows which one has an address that the others reach",
        ),
        Fix("Or let the host's own name lead to that address", "getent hosts $(hostname)", caveat="see /etc/hosts"),
    )
