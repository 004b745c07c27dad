"""Whether hosts reach each other beside the rendezvous: data travels to other ports than the one that all come to."""

from __future__ import annotations

import json
import os
import threading
from typing import Mapping, Sequence, Tuple

from .channel import Channel
from .dialling import Call, Echo, exchange, own_address
from .meeting import Meeting, Said
from .place import Place

_MOST_HOSTS = 16

Found = Tuple[int, str, str, float]  # rank, its address, how the call ended, seconds of a round trip


def this_host() -> str:
    """The same for all ranks that share a machine and its network, and for no others."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii", errors="replace") as file:
            boot = file.read().strip()
        return "%s/%d" % (boot, os.stat("/proc/self/ns/net").st_ino)
    except OSError:
        return os.uname().nodename


def first_of_each_host(said: Sequence[Said]) -> list[int]:
    """The lowest rank of each host, of as many hosts as are tried."""
    first: dict[str, int] = {}
    for rank, words in enumerate(said):
        first.setdefault(words["host"], rank)
    return list(first.values())[:_MOST_HOSTS]


class Reach:
    """One host's side. Only the first rank of each host takes part, and only where there are several hosts."""

    def __init__(self, meeting: Meeting, place: Place, channel: Channel, environ: Mapping[str, str]) -> None:
        self._meeting = meeting
        self._place = place
        self._channel = channel
        self._environ = environ

    def check(self, said: Sequence[Said], backend: str) -> None:
        """Call every other host, then tell what all of them found: rank 0 hears it, the others know their own."""
        firsts = first_of_each_host(said)
        me = self._place.rank
        if len(firsts) < 2:
            return
        self._channel.tell("step", step="hosts call each other")
        if me not in firsts:
            return
        address = own_address(backend, (self._place.host, self._place.port), self._environ)
        self._meeting.say("listens", json.dumps(self._listen(address, len(firsts) - 1)))
        found = self._call_all([rank for rank in firsts if rank != me])
        self._tell(me, found)
        self._meeting.say("reached", json.dumps(found))
        for rank in firsts if me == 0 else ():
            if rank != me:
                self._tell(rank, json.loads(self._meeting.hear("reached", rank)))

    def _listen(self, address: str, callers: int) -> tuple[str, int]:
        """Address and port; port 0 where nobody could call."""
        if not address or address.startswith("127."):
            return address, 0
        try:
            return address, Echo(address, callers).port
        except OSError:
            return address, 0

    def _call_all(self, others: Sequence[int]) -> list[Found]:
        """All at the same time."""
        places = {rank: json.loads(self._meeting.hear("listens", rank)) for rank in others}
        found: dict[int, Call] = {}

        def call(rank: int, address: str, port: int) -> None:
            found[rank] = exchange(address, port)

        threads = [threading.Thread(target=call, args=(rank, *place)) for rank, place in places.items() if place[1]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [(rank, places[rank][0], *_ended(places[rank][0], found.get(rank))) for rank in others]

    def _tell(self, rank: int, found: Sequence[Found]) -> None:
        for other, address, kind, seconds in found:
            self._channel.tell("reach", a=rank, b=other, text=address, kind=kind, seconds=seconds)


def _ended(address: str, call: Call | None) -> tuple[str, float]:
    if call is not None:
        return call.kind, call.seconds
    return ("loopback" if address.startswith("127.") else "unknown"), 0.0
