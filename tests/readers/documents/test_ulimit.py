"""`ulimit -a`."""

from __future__ import annotations

from gpudoctor.readers.documents.ulimit import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_limits_in_bytes() -> None:
    limits = read(sample("ulimit"), DOCUMENT).limits
    assert (limits.memlock_bytes.value, limits.nofile.value) == (65536 * 1024, 1024)
    assert (limits.nproc.value, limits.core_bytes.value) == (-1, 0)
    assert not limits.address_space_bytes.known


def test_a_single_line_with_other_widths() -> None:
    assert read("max locked memory       (kbytes, -l) unlimited", DOCUMENT).limits.memlock_bytes.value == -1
    assert read("-n: file descriptors          1048576", DOCUMENT).limits.nofile.value == 1048576


def test_a_damaged_line_is_left() -> None:
    assert not found(["max locked memory (kbytes, -l) lots", "open files (-n)"], DOCUMENT)
