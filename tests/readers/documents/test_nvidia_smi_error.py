"""Failures of nvidia-smi."""

from __future__ import annotations

import pytest

from gpudoctor.readers.documents.nvidia_smi_error import DOCUMENT
from tests.readers.documents.reading import found, read, sample


def test_versions_that_differ() -> None:
    facts = read(sample("nvidia_smi_error"), DOCUMENT)
    assert facts.nvidia_smi.error.value == "Failed to initialize NVML: Driver/library version mismatch"
    assert (facts.nvml.init_error.value, facts.nvml.library_version.value) == ("LIB_RM_VERSION_MISMATCH", "550.90")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
            "NVIDIA driver is installed and running.",
            "DRIVER_NOT_LOADED",
        ),
        ("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.", "LIBRARY_NOT_FOUND"),
        ("root@pod:/# Failed to initialize NVML: Insufficient Permissions", "NO_PERMISSION"),
    ],
)
def test_messages_have_nvmls_names(text: str, error: str) -> None:
    assert read(text, DOCUMENT).nvml.init_error.value == error


@pytest.mark.parametrize(
    "text",
    [
        "Unable to determine the device handle for GPU0000:03:00.0: Unknown Error",
        "Failed to initialize NVML: Unknown Error",
        "No devices were found",
        "bash: nvidia-smi: command not found",
    ],
)
def test_messages_without_a_name(text: str) -> None:
    facts = read(text, DOCUMENT)
    assert facts.nvidia_smi.error.value == text
    assert not facts.nvml.init_error.known


@pytest.mark.parametrize(
    "text",
    [
        "pynvml.nvml.NVMLError: Failed to initialize NVML: Unknown Error in worker 3",
        "I think that no devices were found here",
        "foo: command not found",
        "",
    ],
)
def test_other_lines_are_not_its(text: str) -> None:
    assert not found([text], DOCUMENT)
