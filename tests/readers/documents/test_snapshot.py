"""Our own snapshot in other text."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.snapshot import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_its_facts_are_taken() -> None:
    assert read(sample("snapshot"), DOCUMENT).shm.size_bytes.value == 64 << 20


def test_a_cut_one_says_so() -> None:
    (line,) = sample("snapshot")
    assert read(line[:-20], DOCUMENT).nvml.devices.absent == "parse_error"


def test_another_schema_is_left() -> None:
    (line,) = sample("snapshot")
    assert read(line.replace("snapshot/1", "snapshot/2"), DOCUMENT) == Facts()


def test_more_than_any_machine_has_is_left() -> None:
    (line,) = sample("snapshot")
    many = ",".join('{"a":0,"b":1,"link":"SYS"}' for _ in range(5000))
    line = line.replace('"facts":{', f'"facts":{{"nvidia_smi":{{"topology":{{"value":[{many}],"source":"x"}}}},')
    assert read(line, DOCUMENT) == Facts()
