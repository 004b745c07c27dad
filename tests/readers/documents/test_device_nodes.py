"""`ls /dev/nvidia*`."""

from __future__ import annotations

from gpudoctor.readers.documents.device_nodes import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_long_and_short_listings() -> None:
    driver = read(sample("device_nodes"), DOCUMENT).driver
    assert driver.device_nodes.value == ("/dev/nvidia0", "/dev/nvidia1")
    assert driver.control_nodes.value == ("/dev/nvidiactl", "/dev/nvidia-uvm")
    short = read("/dev/nvidia1  /dev/nvidia10  /dev/nvidia2  /dev/nvidiactl", DOCUMENT).driver
    assert short.device_nodes.value == ("/dev/nvidia1", "/dev/nvidia2", "/dev/nvidia10")


def test_none_at_all() -> None:
    text = "ls: cannot access '/dev/nvidia*': No such file or directory"
    assert read(text, DOCUMENT).driver.device_nodes.value == ()


def test_a_path_in_a_sentence_is_none() -> None:
    assert not found(["cannot open /dev/nvidia0: permission denied", "crw- 1 /dev/nvidia0"], DOCUMENT)
