"""Documents of a text as `diagnose` takes them."""

from __future__ import annotations

from gpudoctor.logs.read import Reader


def test_what_was_tried_next_does_not_count() -> None:
    text = "$ NCCL_DEBUG=INFO vllm serve m -tp 2\nhangs\n$ NCCL_P2P_DISABLE=1 vllm serve m -tp 4\nworks\n"
    facts = Reader(()).read_text(text).facts
    assert facts.workload.tp.value == 2
    assert facts.environment.launch.value == {"NCCL_DEBUG": "INFO"}


def test_what_looks_like_a_document_and_says_nothing_is_none() -> None:
    (note,) = Reader(()).read_text("image: nvidia/cuda:10.1-devel\nActive:\n").files
    assert note.kinds == ()


def test_a_default_of_the_command_does_not_stand_against_what_the_log_says() -> None:
    text = "$ vllm serve m\nINFO config: tensor_parallel_size=4, pipeline_parallel_size=1\n"
    assert Reader(()).read_text(text).facts.workload.tp.value == 4
