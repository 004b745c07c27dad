"""Version and flavour of the kernel module."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.driver_version import ModuleVersion, module_version, registry_dwords

OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build  (someone@somewhere)  "
    "Tue Sep 23 09:55:41 UTC 2025\nGCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)"
)
PROPRIETARY = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version:"
OLD = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  390.157  Wed Oct 12 09:19:07 UTC 2022"
ARM = "NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  570.124.06  Release Build"


@pytest.mark.parametrize(
    ("text", "version", "is_open"),
    [(OPEN, "580.95.05", True), (PROPRIETARY, "535.183.01", False), (OLD, "390.157", False), (ARM, "570.124.06", True)],
)
def test_version_and_flavour(text: str, version: str, is_open: bool) -> None:
    assert module_version(text) == ModuleVersion(version, is_open)


@pytest.mark.parametrize("text", ["", "NVRM version:", "GCC version:  gcc version 13.3.0", "Kernel Module 580.95.05"])
def test_what_names_no_module_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        module_version(text)


def test_registry_dwords() -> None:
    assert registry_dwords('EnableMSI: 1\nRegistryDwords: "ForceP2P=0x11;RMForceP2PType=1"\nRmMsg: ""') == (
        "ForceP2P=0x11;RMForceP2PType=1"
    )
    assert registry_dwords('RegistryDwordsPerDevice: "x"\nRegistryDwords: ""\n') == ""
    with pytest.raises(ValueError, match="no RegistryDwords"):
        registry_dwords("EnableMSI: 1")


@given(st.text(max_size=400))
def test_no_text_crashes_it(text: str) -> None:
    try:
        found = module_version("NVRM version: " + text)
    except ValueError:
        return
    assert len(found.version) < 64
