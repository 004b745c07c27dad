"""docs/fit.md: its answers are those of the command."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "fit.md"
BLOCK = re.compile(r"```console\n\$ gpudoctor (?P<command>[^\n]*)\n(?P<answer>.*?)```", re.DOTALL)
QUESTIONS = {found["command"]: found["answer"] for found in BLOCK.finditer(DOCUMENT.read_text())}
updating = bool(os.environ.get("GPUDOCTOR_UPDATE_GOLDEN"))


def answer(command: str) -> str:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "gpudoctor", *shlex.split(command)],
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_there_are_seven_questions() -> None:
    assert len(QUESTIONS) == 7


@pytest.mark.parametrize("command", QUESTIONS)
def test_the_answer_in_the_document_is_the_commands_own(command: str) -> None:
    found = answer(command)
    if updating:
        text = DOCUMENT.read_text()
        old = f"$ gpudoctor {command}\n{QUESTIONS[command]}```"
        assert old in text
        DOCUMENT.write_text(text.replace(old, f"$ gpudoctor {command}\n{found}```"))
        return
    assert found == QUESTIONS[command]


def test_the_questions_have_the_verdicts_that_the_text_gives_them() -> None:
    verdicts = ["fits 2 GPUs", "does not fit", "TP 3 is impossible", "fits 16 GPUs", "fits 8 GPUs", "fits 8 GPUs",
                "fits"]  # fmt: skip
    for (command, text), verdict in zip(QUESTIONS.items(), verdicts, strict=True):
        assert verdict in text.replace("\n", " "), command
