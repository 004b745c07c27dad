"""What several GPUs have in common is one line."""

from __future__ import annotations

from gpudoctor.model.finding import Evidence
from gpudoctor.render.evidence import lines


def states(*values: str) -> list[Evidence]:
    return [
        Evidence(fact=f"gpus.devices[{index}].fabric_state", value=value, source="nvml")
        for index, value in enumerate(values)
    ]


def shown(evidence: list[Evidence]) -> list[tuple[str, str]]:
    return [(line.label, line.text) for line in lines(evidence)]


def test_equal_values_of_several_gpus_are_one_line() -> None:
    assert shown(states("ok", "ok", "ok")) == [("fabric_state of GPU 0-2", "ok")]


def test_different_values_are_told_apart() -> None:
    assert shown(states("ok", "down", "ok", "ok")) == [
        ("fabric_state of GPU 0", "ok"),
        ("fabric_state of GPU 1", "down"),
        ("fabric_state of GPU 2-3", "ok"),
    ]


def test_gaps_in_the_numbers_are_shown() -> None:
    evidence = [Evidence(fact=f"group.gpus[{index}].name", value="A", source="nvml") for index in (0, 1, 5)]
    assert shown(evidence) == [("name of GPU 0-1, 5", "A")]


def test_pairs_are_named_and_many_are_counted() -> None:
    evidence = [Evidence(fact=f"topology.pairs[0-{b}].link", value="SYS", source="nvml") for b in range(1, 8)]
    assert shown(evidence) == [("link of 0-1, 0-2, 0-3, 0-4 and 3 more", "SYS")]


def test_a_label_and_a_plain_path_stay_as_they_are() -> None:
    evidence = [
        Evidence(fact="gpus.devices[0].name", value="A", label="card"),
        Evidence(fact="workload.tp", value=4, source="flag"),
        Evidence(file="log.txt", line=3, text="boom"),
    ]
    assert shown(evidence) == [("card", "A"), ("workload.tp", "4"), ("log.txt:3", "boom")]


def test_sizes_are_sizes_wherever_the_unit_stands_in_the_name() -> None:
    assert shown([Evidence(fact="model.weights_bytes_per_gpu", value=35 << 30)]) == [
        ("model.weights_bytes_per_gpu", "35.0 GiB")
    ]
