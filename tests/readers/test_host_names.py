"""Addresses of a name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.host_names import addresses_in_ahosts, addresses_in_hosts

HOSTS = """127.0.0.1 localhost
# 10.0.0.1 box
127.0.1.1\tbox.example.org Box  # set by the installer
10.0.0.7 box
10.0.0.7 other box
"""


def test_hosts_in_order_without_comments_and_case() -> None:
    assert addresses_in_hosts(HOSTS, "box") == ("127.0.1.1", "10.0.0.7")
    assert addresses_in_hosts(HOSTS, "10.0.0.7") == ()


def test_ahosts_names_each_address_once() -> None:
    assert addresses_in_ahosts("10.0.0.7  STREAM box\n10.0.0.7  DGRAM\n\nfd00::2  STREAM\n") == ("10.0.0.7", "fd00::2")


@given(st.text(max_size=200), st.text(max_size=20))
def test_no_text_crashes_them(text: str, name: str) -> None:
    addresses_in_hosts(text, name)
    addresses_in_ahosts(text)
