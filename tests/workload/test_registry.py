"""Every file of `frameworks/` is consistent in itself: one file is all that a new program needs."""

from __future__ import annotations

import pytest

from gpudoctor.model.facts import Workload
from gpudoctor.workload import registry
from gpudoctor.workload.spec import Spec

SPECS = registry.specs()


@pytest.mark.parametrize("spec", SPECS, ids=[s.name for s in SPECS])
def test_no_option_is_listed_in_two_ways(spec: Spec) -> None:
    named = [registry.normal(n) for o in spec.options for n in o.names]
    assert len(named) == len(set(named))
    listed = [registry.normal(n) for part in (spec.valued, spec.flags, spec.paired) for n in part.split()]
    assert not set(named) & set(listed)


@pytest.mark.parametrize("spec", SPECS, ids=[s.name for s in SPECS])
def test_all_names_are_options_and_have_a_field(spec: Spec) -> None:
    for option in spec.options:
        assert option.field
        assert all(name.startswith("-") for name in option.names)
        assert option.names or option.env


def test_names_are_unique() -> None:
    assert len({s.name for s in SPECS}) == len(SPECS)


def test_fields_of_the_workload_are_spelled_as_there() -> None:
    known = set(Workload.__struct_fields__)
    used = {o.field for s in SPECS for o in s.options}
    assert {"tp", "pp", "dp", "max_model_len", "gpu_memory_utilization", "container_shm_bytes"} <= used & known


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("--tensor-parallel-size", "tp"),
        ("--tensor_parallel_size", "tp"),
        ("--tensor-par", "tp"),
        ("-tp", "tp"),
        ("--max-num-seqs", "max_num_seqs"),
        ("--gpu-memory-util", "gpu_memory_utilization"),
    ],
)
def test_an_option_is_found_by_any_spelling(name: str, field: str) -> None:
    vllm = registry.by_name("vllm")
    assert vllm is not None
    found = registry.find_option(vllm, name)
    assert not isinstance(found, registry.Listed)
    assert found is not None
    assert found.field == field


@pytest.mark.parametrize("name", ["--max-num", "--model-i", "--data-parallel", "--t", "--unknown"])
def test_an_ambiguous_beginning_means_nothing_to_us(name: str) -> None:
    vllm = registry.by_name("vllm")
    assert vllm is not None
    found = registry.find_option(vllm, name)
    assert found is None or isinstance(found, registry.Listed)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("vllm/vllm-openai:latest", "vllm"),
        ("docker.io/vllm/vllm-openai@sha256:abc", "vllm"),
        ("registry.local:5000/mirror/vllm/vllm-openai:v0.9", "vllm"),
        ("ghcr.io/huggingface/text-generation-inference:3.3.4", "tgi"),
        ("lmsysorg/sglang:v0.5", "sglang"),
        ("ollama/ollama", "ollama"),
        ("ubuntu:22.04", None),
    ],
)
def test_an_image_names_its_program(image: str, name: str | None) -> None:
    spec = registry.by_image(image)
    assert (spec.name if spec else None) == name


@pytest.mark.parametrize(
    ("name", "python"), [("python", True), ("python3.12", True), ("pythonic", False), ("pypy3", True)]
)
def test_interpreters_are_known_by_name(name: str, python: bool) -> None:
    assert registry.is_python(name) is python
