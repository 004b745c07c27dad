"""Measured paths between GPUs."""

from __future__ import annotations

from gpudoctor.model.facts import PeerTest
from gpudoctor.readers.documents.p2p_bandwidth import DOCUMENT
from tests.readers.documents.reading import read, sample


def measured(name: str) -> dict[tuple[int, int], PeerTest]:
    return {(one.a, one.b): one for one in read(sample(name), DOCUMENT).log.peer_tests.or_none() or ()}


def test_direct_path_detour_and_latency() -> None:
    found = measured("p2p_bandwidth")
    assert set(found) == {(0, 1), (1, 0)}
    one = found[0, 1]
    assert (one.direct_gbs.value, one.staged_gbs.value, one.latency_us.value) == (0.71, 11.02, 49204.8)


def test_both_directions_at_once_and_times_of_the_cpu_are_left_out() -> None:
    one = measured("p2p_bandwidth")[1, 0]
    assert (one.direct_gbs.value, one.latency_us.value) == (0.7, 49204.91)


def test_copies_of_nvbandwidth() -> None:
    found = measured("p2p_bandwidth.nvbandwidth")
    assert found[0, 1].direct_gbs.value == 24.31
    assert not found[0, 1].staged_gbs.known
