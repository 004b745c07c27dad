"""Ports of InfiniBand and RoCE cards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.infiniband import link_layer, port_state, rate_gbps


def test_states_rates_and_layers() -> None:
    assert port_state("4: ACTIVE") == "ACTIVE"
    assert rate_gbps("200 Gb/sec (4X HDR)") == 200.0
    assert rate_gbps("2.5 Gb/sec (1X SDR)") == 2.5
    assert link_layer("Ethernet") == "Ethernet"


@pytest.mark.parametrize("reader", [port_state, rate_gbps, link_layer])
def test_anything_else_is_refused(reader: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match=r".*"):
        reader("nonsense")


@given(st.text(max_size=60))
def test_no_text_does_anything_but_a_value_or_value_error(text: str) -> None:
    for reader in (port_state, rate_gbps, link_layer):
        with contextlib.suppress(ValueError):
            reader(text)
