"""The command that proves a fix. A check proves nothing of a run that it is not told: it gets the run, as changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gpudoctor.engine.filters import quoted
from gpudoctor.model.change import Change
from gpudoctor.model.facts import Facts, Workload
from gpudoctor.model.finding import Evidence

_CHECK: Final = "gpudoctor check"
_MAX_CHARACTERS: Final = 2000
_OF_THE_RUN: Final = ("workload.", "model.", "fit.")
_ASKS: Final = "gpudoctor "  # a fix that changes nothing yet
# What a run without a launch command is told by: options of `check`, by the field of the workload.
_OPTIONS: Final = {
    "tp": "--tp",
    "pp": "--pp",
    "dp": "--dp",
    "model": "--model",
    "quantization": "--quant",
    "dtype": "--dtype",
    "max_model_len": "--max-model-len",
    "gpu_memory_utilization": "--gpu-memory-utilization",
    "framework": "--framework",
}


def proof(verify: str, facts: Facts, evidence: Iterable[Evidence], change: Change | None, changed: str) -> str:
    """`verify` with the interpreter and the run that it is about.

    `change` is that of the best fix, `changed` its command. "" where the run as the fix leaves it cannot be told to a
    check: the old run would only be found wrong again, no run at all would not be.
    """
    if verify != _CHECK and not verify.startswith(_CHECK + " "):
        return verify
    workload = facts.workload
    command = workload.command.or_none()
    seen = [shown.fact for shown in evidence]
    if (
        change is None
        and (not changed or changed.startswith(_ASKS))
        and any(fact.startswith(_OF_THE_RUN) for fact in seen)
    ):
        run = None  # another run is needed, and only the user knows which
    elif command:
        run = _launch(command if change is None else changed)
    elif any(fact.startswith("workload.") and fact[9:] not in _OPTIONS for fact in seen):
        run = None
    else:
        run = _options(workload, change)
    text = None if run is None else f"{verify}{_interpreter(facts)}{run}"
    return text if text is not None and len(text) <= _MAX_CHARACTERS else ""


def _interpreter(facts: Facts) -> str:
    executable = facts.python.executable.or_none()
    if facts.python.chosen_by.or_none() != "option" or not executable:
        return ""
    return f" --python {quoted(executable)}"


def _launch(command: str) -> str | None:
    """Behind `--`, where no part of it may be run: a list of commands is one word there."""
    import shlex

    try:
        lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
        lexer.commenters = ""
        lexer.whitespace = " \t"
        words = list(lexer)
    except ValueError:
        return None
    if not words:
        return None
    single = not any(set(word) <= set("();<>|&\n#`") for word in words) and "\n" not in command.replace("\\\n", " ")
    return f" -- {command}" if single else f" -- bash -c {shlex.quote(command)}"


def _options(workload: Workload, change: Change | None) -> str | None:
    asked = change or Change()
    if asked.add or asked.remove or not asked.flags.keys() <= _OPTIONS.keys():
        return None
    told = {name: getattr(workload, name).or_none() for name in _OPTIONS}
    told.update(asked.flags)
    return "".join(f" {_OPTIONS[name]} {quoted(str(value))}" for name, value in told.items() if value is not None)
