"""Facts of the live machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from gpudoctor.cli.examine.examined import Collected, End, Examined, Piece, without_secrets
from gpudoctor.cli.examine.model_config import with_model_config
from gpudoctor.cli.examine.order import Order
from gpudoctor.cli.examine.progress_line import progress_line
from gpudoctor.host import Host, LocalHost
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.schedule import examine
from gpudoctor.probes import discover


def live(order: Order, send: Callable[[Piece | End], None]) -> None:
    """Run every probe on this machine, with a live line on stderr where that is a terminal.

    Every piece is sent as soon as it is there.
    """
    host = LocalHost()
    request = replace(order.request, workload=with_model_config(host, order.request.workload))
    line = progress_line(wanted=not order.quiet)
    try:
        results = examine(
            host,
            discover(),
            request,
            timeout_s=order.timeout_s,
            bring=lambda probe, section: send(Piece(probe.name, section)),
            progress=line.update if line else None,
        )
    finally:
        if line:
            line.close()
    send(End(request.workload, results))


def examine_here(host: Host, probes: Sequence[Probe], request: Request, timeout_s: float) -> Examined:
    """Run these probes from this very process."""
    collected = Collected()
    results = examine(
        host,
        probes,
        request,
        timeout_s=timeout_s,
        bring=lambda probe, section: collected.take(Piece(probe.name, section)),
    )
    return collected.facts_of(without_secrets(End(request.workload, results)))
