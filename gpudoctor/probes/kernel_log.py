"""The kernel log through dmesg, or through the journal where dmesg is for root only."""

from __future__ import annotations

from typing import NoReturn

from gpudoctor.host.access import Command, Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.reading import read_fact
from gpudoctor.model.fact import Reason, absent
from gpudoctor.model.facts import KernelLog
from gpudoctor.readers.kernel_messages import read_kernel_log
from gpudoctor.readers.numbers import integer

DMESG = ("dmesg",)
# Bounded, newest last; the journal of a year is searched no longer than the deadline allows.
JOURNAL = ("journalctl", "-k", "-b", "--no-pager", "-o", "short-monotonic", "-n", "50000")
_DMESG_TIMEOUT_S = 2.0
_JOURNAL_TIMEOUT_S = 2.5
_UPTIME = "/proc/uptime"
_REFUSALS = ("permitted", "permission", "denied")


def collect(host: Host, request: Request) -> KernelLog:  # noqa: ARG001 - every probe is called alike
    """What the kernel said since boot. In a container dmesg shows the machine's log, where it is allowed at all."""
    failures: list[HostError] = []
    for argv, timeout_s in ((DMESG, _DMESG_TIMEOUT_S), (JOURNAL, _JOURNAL_TIMEOUT_S)):
        try:
            text = _output(host, argv, timeout_s)
            return read_kernel_log(text, argv[0], read_fact(host, _UPTIME, _first_number).or_none())
        except HostError as error:  # noqa: PERF203 - twice at most
            failures.append(error)
    return _nothing(failures)


def _first_number(text: str) -> float:
    """Seconds of `86400.12 1234567.89`. Raises ValueError."""
    whole, _, _ = text.partition(".")
    return float(integer(whole))


def _output(host: Host, argv: tuple[str, ...], timeout_s: float) -> str:
    answer = host.run(argv, timeout_s=timeout_s, env={**host.environ, "LC_ALL": "C"})
    text = "\n".join(line for line in answer.stdout.splitlines() if not line.startswith("-- "))
    if answer.exit_code != 0:
        _refuse(argv[0], answer)
    if not text:
        raise HostError("no_permission", f"{argv[0]} showed no line")
    return text


def _refuse(name: str, answer: Command) -> NoReturn:
    message = answer.stderr.lower()
    if any(word in message for word in _REFUSALS):
        raise HostError("no_permission", f"{name} may not read the kernel log")
    raise HostError("failed", f"{name} ended with status {answer.exit_code}")


def _nothing(failures: list[HostError]) -> KernelLog:
    """A refusal outweighs a missing tool: it names the way out."""
    refused = any(failure.reason == "no_permission" for failure in failures)
    reason: Reason = "no_permission" if refused else failures[0].reason
    detail = "; ".join(failure.detail for failure in failures)
    if refused:
        detail += "; `sudo dmesg` would show it"
    return KernelLog(**{name: absent(reason, detail, "dmesg") for name in KernelLog.__struct_fields__})


PROBE = Probe(
    name="kernel_log",
    section=KernelLog,
    collect=collect,
    timeout_s=6.0,
    isolated=True,
    after="cuda",
)
