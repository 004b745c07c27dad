"""What a healthy link moves: GB/s of one direction for large messages, with source and date in the file."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from gpudoctor.data.hardware import look_up
from gpudoctor.paths import data_file

_NVLINK = re.compile(r"(?P<version>\d): (?P<links>\d+)(?: of \d+)? links?, (?P<total>[\d.]+)")
_ACROSS = ("NODE", "SYS")  # through the link between two host bridges or sockets


class Links(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table. Shares are of the raw rate; below `slow_below` of what is expected a link is called slow."""

    source: str
    date: str
    pcie_lane_gbs: dict[str, float]  # by generation, one lane, one direction
    nvlink_gbs: dict[str, float]  # by generation, one link, one direction
    pcie_share: float
    nvlink_share: float
    shared_memory_share: float  # of the PCIe link, where traffic goes through host memory
    across_cpus_gbs: float
    slow_below: float
    siblings_slow_below: float
    judged_from_bytes: int  # smaller messages are all latency

    def pcie(self, generation: int, lanes: int, link: str, *, through_host: bool) -> float | None:
        """GB/s between two GPUs over PCIe; None for a generation that is not listed."""
        lane = self.pcie_lane_gbs.get(str(generation))
        if lane is None:
            return None
        speed = lane * lanes * (self.shared_memory_share if through_host else self.pcie_share)
        return min(speed, self.across_cpus_gbs) if link in _ACROSS else speed

    def nvlink(self, name: str, links: int, version: int | None) -> float | None:
        """GB/s between two GPUs over so many NVLinks; by the card's own rate where it is listed."""
        rate = _rate_of_card(name) or self.nvlink_gbs.get(str(version))
        return rate * links * self.nvlink_share if rate is not None else None


def _rate_of_card(name: str) -> float | None:
    """GB/s of one link and direction: the table gives both directions of all links of a card."""
    row = look_up(name)
    match = _NVLINK.match(row.nvlink or "") if row is not None else None
    return float(match["total"]) / 2 / int(match["links"]) if match else None


@cache
def links() -> Links:
    """The packaged table."""
    return msgspec.json.decode(data_file("links.json").read_bytes(), type=Links)
