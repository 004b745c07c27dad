"""/proc/PID/maps."""

from __future__ import annotations

import doctest
import mmap
from pathlib import Path

from gpudoctor.readers import process_maps
from gpudoctor.readers.process_maps import MappedFile, mapped_files

MAPS = """\
559f8f200000-559f8f222000 r--p 00000000 08:01 1048602                    /usr/bin/python3.11
559f90a00000-559f90b00000 rw-p 00000000 00:00 0                          [heap]
7f1c00000000-7f1c18850000 r-xp 00000000 08:01 2097159                    /opt/venv/nvidia/nccl/lib/libnccl.so.2
7f1c18850000-7f1c18a00000 rw-p 18850000 08:01 2097159                    /opt/venv/nvidia/nccl/lib/libnccl.so.2
7f1c20000000-7f1c20001000 r--p 00000000 08:01 42                         /old/lib nccl.so (deleted)
7f1c30000000-7f1c30001000 rw-s 00000000 00:05 7                          /dev/shm/a\\012b
7f1c40000000-7f1c40001000 rw-p 00000000 00:00 0 
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
"""  # noqa: W291 - the kernel writes the blank


def test_each_file_comes_once_in_address_order() -> None:
    assert mapped_files(MAPS) == (
        MappedFile("/usr/bin/python3.11", deleted=False),
        MappedFile("/opt/venv/nvidia/nccl/lib/libnccl.so.2", deleted=False),
        MappedFile("/old/lib nccl.so", deleted=True),
        MappedFile("/dev/shm/a\nb", deleted=False),
    )


def test_a_deleted_file_of_this_very_process_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "libnccl.so.2"
    path.write_bytes(bytes(4096))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ):
        path.unlink()
        assert MappedFile(str(path), deleted=True) in mapped_files(Path("/proc/self/maps").read_text())


def test_lines_that_are_no_maps_lines_are_passed_over() -> None:
    assert mapped_files("") == ()
    assert mapped_files("garbage\n\x00\n a b c d e relative\n1 2 3 4 5 /real\n") == (
        MappedFile("/real", deleted=False),
    )


def test_the_documented_example_holds() -> None:
    assert doctest.testmod(process_maps).failed == 0
