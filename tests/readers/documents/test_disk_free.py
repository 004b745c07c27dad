"""`df` of /dev/shm."""

from __future__ import annotations

from gpudoctor.readers.documents.disk_free import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_sizes_for_people_and_for_programs() -> None:
    shm = read(sample("disk_free"), DOCUMENT).shm
    assert (shm.size_bytes.value, shm.free_bytes.value) == (64 << 20, 48 << 20)
    assert read("tmpfs 65536 0 65536 0% /dev/shm", DOCUMENT).shm.size_bytes.value == 64 << 20
    assert read("tmpfs          tmpfs  252G  1.1G  251G   1% /dev/shm", DOCUMENT).shm.size_bytes.value == 252 << 30


def test_other_mounts_and_cut_rows_are_left() -> None:
    assert not found(["tmpfs 64M 0 64M 0% /run", "shm 64M 0 /dev/shm", "mounted on /dev/shm"], DOCUMENT)
