"""Which kernel parameters are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.readers.kernel_cmdline import relevant_parameters


def test_what_matters_to_gpus_is_kept_in_order() -> None:
    kept = (
        "iommu=pt amd_iommu=on iommu.passthrough=1 pci=realloc,disable_acs_redir=0000:00:01.1 pcie_aspm=off "
        "nouveau.modeset=0 nvidia-drm.modeset=1 modprobe.blacklist=nouveau vfio-pci.ids=10de:2684 "
        "hugepages=16 isolcpus=2-5"
    )

    assert relevant_parameters(f"BOOT_IMAGE=/vmlinuz root=UUID=1 ro {kept} quiet splash") == kept


def test_secrets_and_what_is_meant_for_init_are_left_out() -> None:
    assert relevant_parameters("ds=nocloud;h=myhost token=abc ip=10.0.0.5 iommu=pt -- pci=x") == "iommu=pt"


@given(st.text(max_size=300))
def test_the_answer_is_bounded_and_made_of_the_input(text: str) -> None:
    words = relevant_parameters(text).split()

    assert all(len(word) <= 200 for word in words)
    assert len(words) <= 64
