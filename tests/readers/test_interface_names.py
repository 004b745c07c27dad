"""Kinds by name."""

from __future__ import annotations

import pytest

from gpudoctor.readers.interface_names import kind_by_name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("eth0", "ethernet"),
        ("enp5s0f1", "ethernet"),
        ("docker0", "docker"),
        ("br-0123456789ab", "docker"),
        ("virbr0", "virtual"),
        ("wg0", "vpn"),
        ("foo0", None),
    ],
)
def test_names(name: str, kind: str | None) -> None:
    assert kind_by_name(name) == kind
