"""`ray status`."""

from __future__ import annotations

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.ray_status import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_nodes_gpus_and_what_waits() -> None:
    ray = read(sample("ray_status"), DOCUMENT).ray
    assert (ray.nodes.value, ray.gpus_total.value, ray.gpus_used.value) == (2, 8, 4)
    assert ray.demands.value == ("{'GPU': 1.0} * 16 (PACK): 1+ pending placement groups",)


def test_a_cluster_without_gpus() -> None:
    lines = [line for line in sample("ray_status") if "GPU" not in line]
    ray = read(lines, DOCUMENT).ray
    assert ray.nodes.value == 2
    assert not ray.gpus_total.known


def test_a_word_alone_says_nothing() -> None:
    assert read("Active:\nfoo bar\n", DOCUMENT) == Facts()
