"""What a link should move, against figures that others measured."""

from __future__ import annotations

import pytest

from gpudoctor.data.links import links

TABLE = links()


@pytest.mark.parametrize(
    ("name", "count", "measured"),
    [
        ("NVIDIA GeForce RTX 3090", 4, 45.0),  # a bridge between two
        ("NVIDIA A100-SXM4-80GB", 12, 235.0),
        ("NVIDIA H200", 18, 365.0),  # ring
        ("NVIDIA B200", 18, 680.0),  # ring
    ],
)
def test_nvlink_that_others_measured_is_not_called_slow(name: str, count: int, measured: float) -> None:
    expected = TABLE.nvlink(name, count, None)
    assert expected is not None
    assert TABLE.slow_below * expected < measured
    assert measured < 1.6 * expected, "the table expects too little to notice a fault"


@pytest.mark.parametrize(
    ("generation", "lanes", "through_host", "measured"),
    [(4, 16, False, 24.5), (5, 16, False, 45.0), (5, 16, True, 28.0), (4, 8, False, 11.5), (3, 16, True, 7.0)],
)
def test_pcie_that_others_measured_is_not_called_slow(
    generation: int, lanes: int, through_host: bool, measured: float
) -> None:
    expected = TABLE.pcie(generation, lanes, "PHB", through_host=through_host)
    assert expected is not None
    assert TABLE.slow_below * expected < measured < 2 * expected


def test_four_lanes_where_there_should_be_sixteen_are_slow() -> None:
    expected = TABLE.pcie(4, 16, "PHB", through_host=False)
    assert expected is not None
    assert TABLE.slow_below * expected > 4 * 1.97 * 0.85


def test_between_sockets_the_cpu_link_bounds_it() -> None:
    assert TABLE.pcie(5, 16, "SYS", through_host=False) == TABLE.across_cpus_gbs


def test_what_is_not_listed_is_not_known() -> None:
    assert TABLE.pcie(9, 16, "PHB", through_host=False) is None
    assert TABLE.nvlink("NVIDIA of tomorrow", 4, None) is None
    assert TABLE.nvlink("NVIDIA of tomorrow", 4, 4) == 75.0
