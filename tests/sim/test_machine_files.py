"""The machine files themselves: complete, strict, consistent."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.sim import compiled, machine, topology

EXPECTED = {
    "a100x8-nvswitch": 8,
    "h100x8-nvswitch": 8,
    "l40sx4-two-sockets": 4,
    "rtx4090x2": 2,
    "rtx3090x2-nvlink": 2,
    "rtx3090x2-no-nvlink": 2,
    "rtx3090-rtx4090-mixed": 2,
    "t4x2-vm": 2,
    "a100-mig": 2,
    "rtx4090x1": 1,
    "no-gpu": 0,
    "wedged-driver": 2,
    "wsl2": 2,
    "rtx3090x4-two-nvlink-pairs": 4,
}


@pytest.mark.parametrize(("name", "gpus"), EXPECTED.items())
def test_has_the_gpus_of_its_name(name: str, gpus: int) -> None:
    assert len(machine.load(name).gpus) == gpus


@pytest.mark.parametrize("name", machine.names())
def test_states_its_origin(name: str) -> None:
    first = (machine.HOSTS / f"{name}.yaml").read_text().splitlines()[0]
    assert first.startswith(("# Origin: composed, 20", "# Origin: recorded, 20"))


@pytest.mark.parametrize("name", machine.names())
def test_addresses_and_uuids_are_unique_and_in_bus_order(name: str) -> None:
    gpus = machine.load(name).gpus
    addresses = [gpu.bdf for gpu in gpus]
    assert sorted(set(addresses)) == addresses
    assert len({gpu.uuid for gpu in gpus}) == len(gpus)


@pytest.mark.parametrize("name", machine.names())
def test_nvlinks_lead_back(name: str) -> None:
    described = machine.load(name)
    for first, second in topology.pairs(described):
        assert topology.bonded_links(described, first, second) == topology.bonded_links(described, second, first)


@pytest.mark.parametrize("name", machine.names())
def test_memory_adds_up(name: str) -> None:
    for gpu in machine.load(name).gpus:
        assert gpu.memory.reserved_mib + gpu.memory.used_mib <= gpu.memory.total_mib
        known = sum(process.used_mib or 0 for process in gpu.processes)
        inside = sum(device.used_mib for device in gpu.mig.devices) if gpu.mig else 0
        assert known <= gpu.memory.used_mib + inside


def test_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "summary: x\nsystem: {cpu: {vendor: v, model: m, nodes: ['0-1']}, cmdlin: quiet}\n", encoding="utf-8"
    )
    with pytest.raises(msgspec.ValidationError, match=r"cmdlin.*\$\.system"):
        machine.load_file(path)


def test_a_key_written_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("summary: x\nsummary: y\n", encoding="utf-8")
    with pytest.raises(ValueError, match="written twice: summary"):
        machine.load_file(path)


def test_defaults_are_merged_below_each_gpu() -> None:
    first, second = machine.load("rtx4090x2").gpus
    assert (first.memory.used_mib, second.memory.used_mib) == (411, 1)
    assert first.memory.total_mib == second.memory.total_mib == 24564


@pytest.mark.parametrize("name", machine.names())
def test_compiled_lines_are_sorted_and_unique(name: str) -> None:
    keys = [line.partition("=")[0] for line in compiled.compiled(machine.load(name)).splitlines()]
    assert len(set(keys)) == len(keys)


def test_a_process_name_that_the_kernel_would_cut_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    process = "{pid: 5, command: /usr/bin/nv-fabricmanager, comm: nv-fabricmanager}"
    file.write_text(f"base: rtx4090x2\nsystem: {{processes: [{process}]}}\n")
    with pytest.raises(msgspec.ValidationError, match="15 characters"):
        machine.load_file(file)
