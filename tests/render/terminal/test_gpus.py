"""The table of GPUs and links."""

from __future__ import annotations

import pytest

from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import Facts, Gpu, GpuPair, Group, Topology
from gpudoctor.render import RenderOptions
from gpudoctor.render.terminal import gpus
from gpudoctor.render.terminal.canvas import Canvas
from gpudoctor.render.terminal.measure import columns
from tests.render import machines


def drawn(facts: Facts, width: int = 80, *, verbose: bool = False) -> str:
    canvas = Canvas(RenderOptions(width=width))
    gpus.draw(canvas, facts, verbose=verbose)
    return canvas.text()


def test_no_gpu_no_section() -> None:
    assert drawn(machines.no_gpu()) == ""


def test_pairs_that_are_all_alike_are_one_sentence_and_a_matrix_when_verbose() -> None:
    text = drawn(machines.eight_switched())
    assert "All 28 pairs are linked by NV18 (NVLink); the driver grants peer-to-peer" in text
    assert "NV18 NV18" not in text
    assert "NV18 NV18" in drawn(machines.eight_switched(), verbose=True)


def test_a_pair_that_is_missing_is_not_taken_for_alike() -> None:
    devices = tuple(machines.gpu(index, "NVIDIA L40S", 44, 44) for index in range(3))
    pairs = (machines.pair(0, 1, "PIX", "OK"), machines.pair(0, 2, "PIX", "OK"))
    facts = Facts(gpus=machines.gpus_section(devices, (0, 1, 2)), topology=Topology(pairs=known(pairs, "nvml")))
    rows = drawn(facts).splitlines()
    assert rows[2].split()[:4] == ["0", "-", "PIX", "PIX"]
    assert rows[3].split()[:4] == ["1", "PIX", "-", "?"]


def test_eight_gpus_fit_eighty_columns_with_marks_for_group_and_refused_copies() -> None:
    text = drawn(machines.eight_mixed())
    rows = text.splitlines()
    assert max(columns(row) for row in rows) <= 80
    assert rows[1].split()[:9] == ["GPU", "0*", "1", "2*", "3", "4*", "5*", "6", "7"]
    assert rows[2].split()[:9] == ["0*", "-", "NV12", "PXB", "PXB", "SYS!", "SYS!", "SYS!", "SYS!"]
    assert "GPU_IS_LOST" in rows[9]
    assert "! the driver refuses peer-to-peer copies, ? unknown" in text
    assert "* the 4 GPUs that this run would use" in text
    assert "Closer to each other: GPU 0, 1, 4, 5 (PXB)" in text


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_sixteen_gpus_keep_within_any_width_and_lose_no_cell(width: int) -> None:
    text = drawn(machines.sixteen(), width)
    assert max(columns(row) for row in text.splitlines()) <= width
    assert text.count("NV12") == 2 * 8 * 7
    cells = [cell for row in text.splitlines() for cell in row.split() if cell == "SYS"]
    assert len(cells) == 2 * 64 + 1  # and once in the legend


def test_models_are_named_only_where_they_differ() -> None:
    devices = (machines.gpu(0, "NVIDIA GeForce RTX 3090", 24, 20), machines.gpu(1, "NVIDIA GeForce RTX 4090", 24, 20))
    assert "RTX 3090" in drawn(Facts(gpus=machines.gpus_section(devices, (0, 1))))
    assert "RTX 4090" not in drawn(machines.two_cards())


def test_a_group_of_all_gpus_is_not_marked() -> None:
    facts = machines.two_cards()
    chosen = Group(gpus=known(facts.gpus.devices.or_none() or (), "derived"))
    assert "*" not in drawn(Facts(gpus=facts.gpus, group=chosen, topology=facts.topology))


def test_permission_needs_both_directions_and_falls_back_on_the_driver_api() -> None:
    pair = GpuPair(a=0, b=1, p2p_read=known("OK", "nvml"), p2p_write=known("CNS", "nvml"))
    assert gpus.allowed(pair) is False
    assert gpus.allowed(GpuPair(a=0, b=1, peer_access=known(True, "cuda"))) is True
    assert gpus.allowed(GpuPair(a=0, b=1)) is None


def test_a_lost_gpu_of_unknown_model_does_not_make_the_machine_mixed() -> None:
    lost = Gpu(index=1, access_error=known("GPU_IS_LOST", "nvml"))
    devices = (machines.gpu(0, "NVIDIA L40S", 45, 44), lost)
    pairs = (GpuPair(a=0, b=1, link=absent("failed")),)
    text = drawn(Facts(gpus=machines.gpus_section(devices, (0,)), topology=Topology(pairs=known(pairs, "nvml"))))
    assert "L40S" not in text
    assert "GPU_IS_LOST" in text


def test_the_legend_explains_only_marks_that_are_there() -> None:
    devices = tuple(machines.gpu(index, "NVIDIA L40S", 45, 44) for index in range(3))
    pairs = (machines.pair(0, 1, "PIX", "OK"), machines.pair(0, 2, "PIX", "OK"), machines.pair(1, 2, "PIX", None))
    text = drawn(Facts(gpus=machines.gpus_section(devices, (0, 1, 2)), topology=Topology(pairs=known(pairs, "nvml"))))
    assert "The driver grants peer-to-peer copies; ? unknown." in text
    assert "!" not in text
