"""Two hosts on one machine: network namespaces, joined by a wire of ours that can be cut, slowed or filtered.

Needs root and /dev/net/tun, and no tool but `ip`. Packets cross through this process, so that what is wrong with the
network does not depend on which modules a kernel has (netem, netfilter).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

INTERFACE = "gdnet0"
ADDRESSES = ("10.213.0.1", "10.213.0.2")
MASTER_PORT = 29517
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_CLONE_NEWNET = 0x40000000
_TCP = 6

# Of a packet and the host that sent it: seconds until it arrives, or None where it never does.
Fault = Callable[[bytes, int], "float | None"]


def healthy(packet: bytes, sender: int) -> float | None:
    """A cable."""
    return 0.0


def dead(packet: bytes, sender: int) -> float | None:
    """No way from one to the other."""
    return None


def one_way(packet: bytes, sender: int) -> float | None:
    """A firewall drops what host 1 sends."""
    return 0.0 if sender == 0 else None


def only_master_port(packet: bytes, sender: int) -> float | None:
    """A firewall lets nothing but the port of the rendezvous through."""
    if packet[9] != _TCP:
        return None
    start = (packet[0] & 15) * 4
    return 0.0 if MASTER_PORT in struct.unpack_from("!HH", packet, start) else None


def latency(packet: bytes, sender: int) -> float | None:
    """100 ms each way."""
    return 0.1


def small_packets_only(packet: bytes, sender: int) -> float | None:
    """A hop on the way takes 1000 bytes at most and tells nobody: jumbo frames that are on at one end only."""
    return 0.0 if len(packet) <= 1000 else None


FAULTS: dict[str, Fault] = {
    "healthy": healthy,
    "dead": dead,
    "one way": one_way,
    "only the master's port": only_master_port,
    "latency": latency,
    "small packets only": small_packets_only,
}


def available() -> bool:
    """Whether namespaces and tunnels can be made here."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        return False
    return subprocess.run(["ip", "netns", "list"], check=False, capture_output=True).returncode == 0


@dataclass
class Wire:
    """Carries packets until it is closed; `fault` may be changed at any time."""

    ends: tuple[int, int]
    fault: Fault
    carried: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def carry(self) -> None:
        """Run in a thread."""
        late: list[tuple[float, int, int, bytes]] = []
        poller = select.poll()
        for end in self.ends:
            poller.register(end, select.POLLIN)
        while not self._stop.is_set():
            for end, _ in poller.poll(2 if late else 50):
                sender = self.ends.index(end)
                packet = os.read(end, 1 << 16)
                delay_s = self.fault(packet, sender) if packet[0] >> 4 == 4 else None
                if delay_s is not None:
                    self.carried += 1
                    heapq.heappush(late, (time.monotonic() + delay_s, self.carried, 1 - sender, packet))
            while late and late[0][0] <= time.monotonic():
                _, _, receiver, packet = heapq.heappop(late)
                os.write(self.ends[receiver], packet)

    def stop(self) -> None:
        self._stop.set()


@contextlib.contextmanager
def two_hosts(fault: str) -> Iterator[tuple[str, str]]:
    """The names of two namespaces with one address each, gone afterwards."""
    names = (f"gd{os.getpid()}a", f"gd{os.getpid()}b")
    ends: list[int] = []
    try:
        for name, address in zip(names, ADDRESSES, strict=True):
            _ip("netns", "add", name)
            ends.append(_tunnel(name))
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "address", "add", f"{address}/24", "dev", INTERFACE)
            _ip("-n", name, "link", "set", INTERFACE, "up")
        wire = Wire((ends[0], ends[1]), FAULTS[fault])
        thread = threading.Thread(target=wire.carry, daemon=True)
        thread.start()
        yield names
        wire.stop()
        thread.join()
    finally:
        for end in ends:
            os.close(end)
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


def inside(name: str) -> list[str]:
    """What to put before a command that is to run on a host."""
    return ["ip", "netns", "exec", name]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _tunnel(name: str) -> int:
    """One end of the wire, in a namespace; it stays ours when this thread has returned to its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as home, Path(f"/run/netns/{name}").open() as there:
        try:
            if libc.setns(there.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            end = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", INTERFACE.encode(), _IFF_TUN | _IFF_NO_PI))
        finally:
            libc.setns(home.fileno(), _CLONE_NEWNET)
    return end
