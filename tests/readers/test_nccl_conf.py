"""NCCL's configuration files."""

from __future__ import annotations

import doctest

from gpudoctor.readers import nccl_conf
from gpudoctor.readers.nccl_conf import read_settings


def test_the_first_equals_sign_ends_the_name_and_nothing_is_stripped() -> None:
    text = "NCCL_SOCKET_IFNAME==ens1f0\n NCCL_DEBUG = INFO \nNCCL_EMPTY=\n"
    assert read_settings(text) == {"NCCL_SOCKET_IFNAME": "=ens1f0", " NCCL_DEBUG ": " INFO ", "NCCL_EMPTY": ""}


def test_comments_and_lines_without_a_value_set_nothing() -> None:
    assert read_settings("# NCCL_DEBUG=INFO\n\nNCCL_DEBUG\n") == {}


def test_the_first_of_two_settings_counts() -> None:
    assert read_settings("A=1\nA=2\n") == {"A": "1"}


def test_names_values_and_lines_are_bounded_as_nccl_bounds_them() -> None:
    settings = read_settings(f"A={'x' * 5000}\n" + "B=1\n" * 100_000)
    assert len(settings["A"]) == 1023


def test_line_ends_of_windows_are_no_part_of_the_value() -> None:
    assert read_settings("A=1\r\nB=2\r\n") == {"A": "1", "B": "2"}


def test_the_documented_example_holds() -> None:
    assert doctest.testmod(nccl_conf).failed == 0
