"""Xid and SXid lines of the kernel log, and GPUs that fell off the bus.

`NVRM: Xid (PCI:0000:9b:00): 79, pid=1234, name=python3, GPU has fallen off the bus.`; pid and name came with newer
drivers. `nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress non-posted PRIV error (First)`,
followed by lines of the same number that hold data.
"""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from gpudoctor.lazy_pattern import lazy_pattern
from gpudoctor.model.fact import NOT_PROVIDED, Fact, absent, known
from gpudoctor.model.facts import Xid
from gpudoctor.readers.bus_id import bus_id

# Channels that are torn down after another event, and advice about one: none of them is a cause.
ECHO_CODES = frozenset({43, 45, 137, 154})
_OFF_THE_BUS = 79
# Seconds since boot, as dmesg and `journalctl -o short-monotonic` print them.
_STAMP = lazy_pattern(r"\s*\[\s{0,8}(\d{1,10})\.\d{1,6}\]")
_CLOCK = "time stamp"
_EVENT = lazy_pattern(r"\b(NVRM: Xid|SXid) \(([^)\s]{1,40})[^)]{0,20}\): (\d{1,5})\b,? ?(.*)")
_FALLEN = lazy_pattern(r"NVRM: GPU (?:at )?([0-9a-fA-F:.PCI]{5,20}): GPU has fallen off the bus")
_NAMED = lazy_pattern(r"NVRM: The NVIDIA GPU ([0-9a-fA-F:.]{7,16})")
_LINES_TO_VERDICT = 4  # the driver breaks "The NVIDIA GPU ... has fallen off the bus" over this many
_MAX_EVENTS = 256
_MAX_DEVICES = 64
_MAX_TEXT = 200


class XidReader(Struct):
    """Takes lines in order. `uptime_s` is how long ago the machine was booted, None where that is not known."""

    uptime_s: float | None = None
    _events: dict[tuple[bool, int, str], Xid] = field(default_factory=dict)
    _fallen: dict[str, None] = field(default_factory=dict)
    _seen: int = 0
    _named: str = ""
    _named_for: int = 0

    def line(self, text: str) -> bool:
        """Whether the line was one of these."""
        event = _EVENT.search(text)
        if event is not None:
            self._event(event[1] == "SXid", event[2], event[3], event[4], self._ago(text))
            return True
        fallen = _FALLEN.search(text)
        if fallen is not None:
            self._off_the_bus(bus_id(fallen.group(1)))
            return True
        return self._broken_sentence(text)

    @property
    def events(self) -> tuple[Xid, ...]:
        """One for each code and device, in the order of the first of them."""
        return tuple(self._events.values())

    @property
    def fallen(self) -> tuple[str, ...]:
        """Bus ids."""
        return tuple(self._fallen)

    def _ago(self, line: str) -> Fact[int]:
        stamp = _STAMP.match(line)
        if self.uptime_s is None or stamp is None:
            return NOT_PROVIDED
        ago = int(self.uptime_s) - int(stamp.group(1))
        # A container may have an uptime of its own, and the host's log.
        return known(ago, _CLOCK) if ago >= 0 else absent("failed", "the log is ahead of the uptime", _CLOCK)

    def _event(self, switch: bool, where: str, code: str, text: str, ago: Fact[int]) -> None:
        if switch and text.startswith("Data"):
            return
        number, device = int(code), bus_id(where)
        self._seen += 1
        if number == _OFF_THE_BUS and not switch:
            self._off_the_bus(device)
        key = (switch, number, device)
        before = self._events.get(key)
        if before is not None:
            self._events[key] = replace(before, count=before.count + 1, seconds_ago=ago)
        elif len(self._events) < _MAX_EVENTS:
            self._events[key] = Xid(
                code=number,
                pci_bus_id=device,
                text=text.strip()[:_MAX_TEXT],
                order=self._seen,
                switch=switch,
                echo=number in ECHO_CODES and not switch,
                seconds_ago=ago,
            )

    def _off_the_bus(self, device: str) -> None:
        if len(self._fallen) < _MAX_DEVICES:
            self._fallen[device] = None

    def _broken_sentence(self, text: str) -> bool:
        named = _NAMED.search(text)
        if named is not None:
            self._named, self._named_for = bus_id(named.group(1)), _LINES_TO_VERDICT
            return False
        if self._named_for:
            self._named_for -= 1
            if "fallen off the bus" in text:
                self._off_the_bus(self._named)
                self._named_for = 0
                return True
        return False
