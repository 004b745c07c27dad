"""The ACS control word, whatever bytes a bridge shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.pci_config import ConfigUnreadableError, DeviceSilentError, acs_control, redirects
from tests.probes.tree import config_space


@pytest.mark.parametrize(
    ("control", "expected"), [(0x001D, True), (0x0004, True), (0x0008, True), (0x0000, False), (0x0011, False)]
)
def test_request_or_completion_redirect_is_what_redirects(control: int, expected: bool) -> None:
    assert acs_control(config_space(control)) == control
    assert redirects(control) is expected


def test_a_device_without_the_capability_has_no_control_word() -> None:
    assert acs_control(config_space(None)) is None


@pytest.mark.parametrize("size", [0, 64, 128, 256])
def test_bytes_that_end_before_the_extended_capabilities_are_refused(size: int) -> None:
    with pytest.raises(ConfigUnreadableError):
        acs_control(config_space(0x1D, size))


def test_a_device_that_is_powered_down_is_told_apart() -> None:
    with pytest.raises(DeviceSilentError):
        acs_control(b"\xff" * 4096)


def test_a_chain_that_points_at_itself_ends() -> None:
    space = bytearray(config_space(None))
    space[0x100:0x104] = (0x0001 | 1 << 16 | 0x140 << 20).to_bytes(4, "little")
    space[0x140:0x144] = (0x0003 | 1 << 16 | 0x100 << 20).to_bytes(4, "little")

    assert acs_control(bytes(space)) is None


@pytest.mark.parametrize("following", [0x004, 0x0FC, 0xFFC])
def test_a_chain_that_leaves_the_extended_space_ends(following: int) -> None:
    space = bytearray(config_space(None))
    space[0x100:0x104] = (0x0001 | 1 << 16 | following << 20).to_bytes(4, "little")

    assert acs_control(bytes(space)) is None


@given(st.binary(max_size=5000))
def test_no_bytes_crash_it(config: bytes) -> None:
    try:
        control = acs_control(config)
    except (ConfigUnreadableError, DeviceSilentError):
        return
    assert control is None or 0 <= control <= 0xFFFF
