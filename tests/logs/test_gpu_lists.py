"""Lists of GPUs from several documents."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from tests.readers.documents.reading import gpus, read_all, sample


def test_what_one_list_lacks_another_one_has() -> None:
    facts = read_all("\n".join([*sample("nvlink"), "", *sample("nvidia_smi_query")]).replace("GeForce RTX 4090", "x"))
    assert gpus(facts)[0].nvlinks_active.known
    listed = (
        "GPU 0: NVIDIA A10 (UUID: GPU-3b70e2a4-19cd)\n\nindex, name, memory.total [MiB]\n0, NVIDIA A10, 23028 MiB\n"
    )
    (gpu,) = gpus(read_all(listed))
    assert (gpu.uuid.value, gpu.memory_total_bytes.value) == ("GPU-3b70e2a4-19cd", 23028 << 20)


def test_the_order_does_not_matter() -> None:
    a, b = "GPU 0: NVIDIA A10\nGPU 1: NVIDIA A10", "index, name, memory.total [MiB]\n0, NVIDIA A10, 23028 MiB"
    first, second = gpus(read_all(f"{a}\n\n{b}\n")), gpus(read_all(f"{b}\n\n{a}\n"))
    assert [(g.index, g.name.value, g.memory_total_bytes.or_none()) for g in first] == [
        (g.index, g.name.value, g.memory_total_bytes.or_none()) for g in second
    ]


def test_a_list_of_another_machine_is_left_out() -> None:
    text = "index, name, memory.total [MiB]\n0, NVIDIA A10, 23028 MiB\n\nGPU 0: Tesla T4\nGPU 1: Tesla T4\n"
    (gpu,) = gpus(read_all(text))
    assert gpu.name.value == "NVIDIA A10"


def test_a_short_name_is_the_same_card() -> None:
    text = "index, name, memory.total [MiB]\n0, NVIDIA H100 80GB HBM3, 81559 MiB\n\nGPU 0: NVIDIA H100\n"
    (gpu,) = gpus(read_all(text))
    assert gpu.name.value == "NVIDIA H100 80GB HBM3"


def partial(facts: Facts) -> bool | None:
    return facts.nvidia_smi.gpus_partial.or_none()


def test_a_whole_list_ends_the_doubt_of_a_cut_one() -> None:
    used = "\n".join(sample("used_gpus.nccl_tests")[:3])
    whole = "GPU 0: NVIDIA GeForce RTX 4090\nGPU 1: NVIDIA GeForce RTX 4090\n"
    assert partial(read_all(used)) is True
    assert partial(read_all(f"{used}\n{whole}")) is False
    assert partial(read_all(f"{used}\nGPU 0: NVIDIA GeForce RTX 4090\n")) is True


def test_reading_and_writing_of_two_commands_are_both_kept() -> None:
    read = "$ nvidia-smi topo -p2p r\n \tGPU0\tGPU1\n GPU0\tX\tOK\n GPU1\tOK\tX\n"
    write = read.replace("-p2p r", "-p2p w").replace("OK", "GNS")
    cells = read_all(f"{read}\n{write}").nvidia_smi.p2p.or_none() or ()
    assert {(cell.capability, cell.status) for cell in cells} == {("read", "OK"), ("write", "GNS")}


def test_a_whole_list_gets_no_gpus_from_hearsay() -> None:
    text = "index, name, memory.total [MiB]\n0, NVIDIA A10, 23028 MiB\n1, NVIDIA A10, 23028 MiB\n\n8x NVIDIA A10\n"
    assert len(gpus(read_all(text))) == 2
