"""Words that formats share."""

from __future__ import annotations

import pytest

from gpudoctor.model.finding import Evidence, Fix
from gpudoctor.render import words
from tests.render import machines

GIB = 1024**3


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (64 * 1024**2, "64 MiB"),
        (int(23.5 * GIB), "23.5 GiB"),
        (1006 * GIB, "1006 GiB"),
        (2015 * GIB, "2.0 TiB"),
        (-1, "unlimited"),
    ],
)
def test_sizes_are_binary_and_short(count: int, shown: str) -> None:
    assert words.size(count) == shown


def test_values_are_shown_by_their_type_and_the_unit_in_the_name() -> None:
    assert words.value(Evidence(fact="shm.size_bytes", value=64 * 1024**2)) == "64 MiB"
    assert words.value(Evidence(fact="a", value=True)) == "yes"
    assert words.value(Evidence(fact="a", value="")) == '""'
    assert words.value(Evidence(fact="a", value=[])) == "none"
    assert words.value(Evidence(fact="a", value=["0", "1"])) == "0, 1"
    assert words.value(Evidence(fact="a", value=0.9)) == "0.9"


def test_subjects_read_as_gpu_numbers() -> None:
    assert words.subject("gpu:0,gpu:3") == "GPU 0, 3"
    assert words.subject("host") == ""
    assert words.subject("0-1") == "0-1"


def test_a_fix_without_a_command_is_pasted_as_quoted_settings() -> None:
    assert words.paste(Fix("t", env={"NCCL_P2P_DISABLE": "1", "X": "a b"})) == "export NCCL_P2P_DISABLE=1 X='a b'"
    assert words.paste(Fix("t", "run it", env={"A": "1"})) == "run it"
    assert words.paste(Fix("t")) == ""


def test_a_machine_is_named_by_its_models() -> None:
    assert words.gpu_models(machines.two_cards()) == "2x GeForce RTX 4090"
    assert words.gpu_models(machines.no_gpu()) == "no GPU"
