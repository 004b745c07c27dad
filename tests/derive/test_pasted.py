"""What follows from pastes alone, without a machine."""

from __future__ import annotations

from msgspec.structs import replace

from gpudoctor.derive import derive
from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Nvml
from tests.readers.documents.reading import read_all, sample


def facts_of(*texts: str) -> Facts:
    return derive(read_all("\n".join(texts)))


def test_the_table_alone_counts_and_names_the_gpus() -> None:
    facts = facts_of(*sample("nvidia_smi"))
    assert (facts.gpus.count.value, facts.gpus.visible_count.value) == (2, 2)
    assert [gpu.name.value for gpu in facts.gpus.devices.or_none() or ()] == [
        "NVIDIA GeForce RTX 4090",
        "NVIDIA A100-SXM4-40GB",
    ]
    assert facts.gpus.devices.or_none()[0].p2p_policy.value == "no"  # type: ignore[index]


def test_a_matrix_alone_gives_gpus_and_pairs() -> None:
    facts = facts_of(*sample("topo_matrix"))
    assert facts.gpus.count.value == 4
    assert {(pair.a, pair.b): pair.link.value for pair in facts.topology.pairs.or_none() or ()}[0, 1] == "NV4"
    assert facts.group.worst_link.value == "SYS"


def test_a_matrix_and_the_model_in_a_note() -> None:
    facts = facts_of(*sample("topo_matrix"), "GPU: NVIDIA A100-SXM4-40GB")
    assert {gpu.name.value for gpu in facts.gpus.devices.or_none() or ()} == {"NVIDIA A100-SXM4-40GB"}
    assert facts.gpus.models.value == ("NVIDIA A100-SXM4-40GB",)


def test_peer_access_and_links_of_one_paste() -> None:
    facts = facts_of("\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tPHB\t0-15\nGPU1\tPHB\t X \t0-15\n", *sample("p2p_matrix"))
    pair = (facts.topology.pairs.or_none() or ())[0]
    assert (pair.link.value, pair.p2p_read.value, pair.p2p_write.value) == ("PHB", "OK", "GNS")


def test_a_note_with_a_count_has_memory_by_the_table() -> None:
    facts = facts_of("2x NVIDIA L40S")
    assert facts.gpus.count.value == 2
    assert facts.group.memory_total_min_bytes.value == 46068 << 20


def test_the_drivers_version_is_everybodys_and_its_branch_tells_the_cuda() -> None:
    facts = facts_of("Nvidia driver version: 535.183.01")
    assert facts.driver.module_version.value == facts.nvml.driver_version.value == "535.183.01"
    assert facts.nvidia_smi.cuda_driver_version.value == "12.2"


def test_a_stated_cuda_is_not_replaced_by_the_branchs() -> None:
    assert facts_of("Driver Version: 535.183.01   CUDA Version: 12.4").nvml.cuda_driver_version.value == "12.4"


def test_pypis_torch_tells_its_nccl() -> None:
    facts = facts_of("torch==2.1.0")
    assert (facts.torch.nccl_pin.value, facts.nccl.winner_version.value) == ("2.18.1", "2.18.1")
    assert facts.torch.cuda_version.value == "12.1"


def test_other_builds_of_torch_do_not() -> None:
    assert not facts_of("torch==2.1.0+cu118").nccl.winner_version.known
    assert not facts_of("torch==2.6.0a0+df5bbc09d1.nv24.12").torch.nccl_pin.known


def test_an_installed_wheel_counts_more_than_the_table() -> None:
    facts = facts_of("torch==2.1.0+cu121", "nvidia-nccl-cu12==2.19.3")
    assert (facts.torch.nccl_pin.value, facts.nccl.winner_version.value) == ("2.18.1", "2.19.3")


def test_names_of_variables_are_judged() -> None:
    environment = facts_of("NCCL_P2P_DISABEL=1", "NCCL_DEBUG=INFO").environment
    assert environment.unknown_nccl.value == ("NCCL_P2P_DISABEL",)
    assert environment.unknown_nccl_meant.value == ("NCCL_P2P_DISABLE",)


def test_a_cut_list_counts_no_gpus() -> None:
    facts = facts_of(*sample("nvidia_smi")[:13])
    assert not facts.gpus.count.known
    assert not facts.gpus.visible_count.known
    assert len(facts.gpus.devices.or_none() or ()) == 2


def test_a_number_beyond_a_cut_list_may_be_a_gpu() -> None:
    facts = facts_of("CUDA_VISIBLE_DEVICES=2,3", *sample("used_gpus.nccl_tests")[:3])
    assert not facts.visible.out_of_range.known
    assert facts.visible.count.value == 2


def test_a_list_of_devices_is_taken_on_trust_where_no_gpu_is_listed() -> None:
    assert facts_of("CUDA_VISIBLE_DEVICES=0,1,2,3").gpus.visible_count.value == 4
    assert not facts_of("CUDA_VISIBLE_DEVICES=0,0").gpus.visible_count.known


def test_a_number_beyond_a_whole_list_is_none() -> None:
    facts = facts_of("CUDA_VISIBLE_DEVICES=0,7", "GPU 0: NVIDIA A10", "GPU 1: NVIDIA A10")
    assert facts.visible.out_of_range.value == ("7",)


def test_where_a_probe_has_looked_nothing_is_filled_in() -> None:
    raw = read_all("Nvidia driver version: 535.183.01\nNCCL_P2P_DISABEL=1")
    facts = derive(replace(raw, nvml=replace(raw.nvml, init_error=known("", "nvml"))))
    assert not facts.nvidia_smi.cuda_driver_version.known
    assert not facts.environment.unknown_nccl.known
    assert derive(Facts(nvml=Nvml(count=known(2, "nvml")))).gpus.count.value == 2


def test_the_failure_of_a_program_is_no_probe() -> None:
    facts = facts_of("Failed to initialize NVML: GPU is lost", "Nvidia driver version: 535.183.01")
    assert (facts.nvml.init_error.value, facts.nvidia_smi.cuda_driver_version.value) == ("GPU_IS_LOST", "12.2")


def test_the_kernels_word_on_the_iommu_holds_for_all_pairs() -> None:
    matrix = sample("topo_matrix")
    pairs = facts_of(*matrix, "iommu: Default domain type: Translated").topology.pairs.or_none() or ()
    assert {pair.iommu_translating.value for pair in pairs} == {True}
    pairs = facts_of(*matrix, "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro iommu=pt").topology.pairs.or_none() or ()
    assert {pair.iommu_translating.value for pair in pairs} == {False}
    pairs = facts_of(*matrix, "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet").topology.pairs.or_none() or ()
    assert not any(pair.iommu_translating.known for pair in pairs)


def test_whom_the_driver_lets_read_it_lets_write() -> None:
    matrix = "\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tPHB\t0-15\nGPU1\tPHB\t X \t0-15\n"
    granted = "$ nvidia-smi topo -p2p r\n \tGPU0\tGPU1\n GPU0\tX\tOK\n GPU1\tOK\tX\n"
    facts = facts_of(matrix, granted, "CPU: AMD EPYC 7713")
    assert facts.group.nccl_uses_p2p.value is True
    assert not (facts.topology.pairs.or_none() or ())[0].p2p_write.known
