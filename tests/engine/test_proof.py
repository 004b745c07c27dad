"""What is to be run to prove a fix."""

from __future__ import annotations

from typing import Any

import pytest

from gpudoctor.engine.proof import proof
from gpudoctor.model.change import Change
from gpudoctor.model.finding import Evidence
from tests.engine.samples import facts

CHECK = "gpudoctor check --only r"


def proved(
    given: dict[str, Any], change: Change | None = None, changed: str = "", *evidence: str, verify: str = CHECK
) -> str:
    return proof(verify, facts(given), [Evidence(fact=fact) for fact in evidence], change, changed)


def test_a_check_gets_the_launch_command_as_the_fix_changes_it() -> None:
    given = {"workload.command": "vllm serve m -tp 4"}
    assert proved(given, Change(flags={"tp": "2"}), "vllm serve m -tp 2") == f"{CHECK} -- vllm serve m -tp 2"


def test_a_fix_that_is_a_command_of_its_own_leaves_the_run_as_it_is() -> None:
    assert proved({"workload.command": "vllm serve m"}, None, "pip install x") == f"{CHECK} -- vllm serve m"


@pytest.mark.parametrize("command", ["cd /x && vllm serve m", "vllm serve m > log", "a\nb", "vllm serve m & sleep 1"])
def test_a_check_reads_a_list_of_commands_and_runs_no_part_of_it(command: str) -> None:
    assert proved({"workload.command": command}) == f"{CHECK} -- bash -c '{command}'"


def test_a_quoted_operator_is_no_list_of_commands() -> None:
    assert proved({"workload.command": "vllm serve m --stop 'a;b'"}) == f"{CHECK} -- vllm serve m --stop 'a;b'"


def test_options_tell_of_a_run_without_a_launch_command() -> None:
    given = {"workload.tp": 4, "workload.model": "my model"}
    assert proved(given, Change(flags={"tp": "2"})) == f"{CHECK} --tp 2 --model 'my model'"


@pytest.mark.parametrize(
    ("given", "change", "evidence"),
    [
        ({"workload.command": "vllm serve m"}, Change(flags={"tp": "2"}), ()),  # it has no place for the change
        ({"workload.command": "vllm serve m 'x"}, None, ()),
        ({"workload.tp": 4}, Change(add=("--enforce-eager",)), ()),
        ({"workload.tp": 4}, Change(flags={"kv_cache_dtype": "fp8"}), ()),
        ({"workload.nodes": 2}, Change(env={"A": "b"}), ("workload.nodes",)),
        ({"workload.command": "vllm serve m"}, None, ("model.weights_bytes",)),  # another model, says the fix
        ({"workload.command": "vllm serve " + "m" * 2000}, None, ()),
    ],
)
def test_a_run_that_cannot_be_told_is_not_proved(given: dict[str, Any], change: Change | None, evidence: Any) -> None:
    assert proved(given, change, "", *evidence) == ""


def test_the_chosen_interpreter_is_examined_again() -> None:
    python = {"python.executable": "~/v/bin/python", "python.chosen_by": "option"}
    assert proved(python) == f"{CHECK} --python ~/v/bin/python"
    assert proved({**python, "python.chosen_by": "path"}) == CHECK


def test_a_fix_that_only_asks_leaves_the_run_to_the_user() -> None:
    given = {"workload.command": "vllm serve m"}
    assert proved(given, None, "gpudoctor fit m --tp 2", "fit.weights_bytes") == ""


@pytest.mark.parametrize("verify", ["", "nvidia-smi -L", "gpudoctor nccl-test --tp 2", "gpudoctor checkers"])
def test_other_commands_stay_as_they_are(verify: str) -> None:
    assert proved({"workload.command": "vllm serve m"}, verify=verify) == verify
