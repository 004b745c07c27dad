"""A change for a run whose launch command we do not know: lines for this shell, and options to name in the advice."""

from __future__ import annotations

import re
import shlex
from typing import Final

from gpudoctor.model.change import Change
from gpudoctor.model.facts import Workload
from gpudoctor.workload import registry
from gpudoctor.workload.edits import assignment
from gpudoctor.workload.spec import Option
from gpudoctor.workload.words import has_control

_NAME = re.compile(r"[A-Za-z_]\w*")
_TRUE = frozenset({"true", "1", "yes", "on", ""})
_CONTAINER: Final = "docker run"
# Whose spelling is shown where the framework is not known.
_USUAL: Final = {"vllm": "vLLM", "sglang": "SGLang"}


def generic(change: Change) -> str:
    """What to paste into the shell before the run is started: its variables. "" where there is nothing of that kind."""
    if not all(_NAME.fullmatch(n) for n in (*change.env, *change.unset)):
        return ""
    variables = [assignment(name, value) for name, value in change.env.items()]
    words = [["unset", *change.unset] if change.unset else [], ["export", *variables] if variables else []]
    line = " && ".join(" ".join(part) for part in words if part)
    return "" if has_control(line) else line


def advice(workload: Workload, change: Change) -> str:
    """The options of a change, to be put into a launch command that we do not know.

    `--tensor-parallel-size 2` of the framework; without one, as vLLM and SGLang spell it. "" where there is no option
    to name, or none that this framework has. Backticks stand around what is to be typed.
    """
    framework = workload.framework.or_none()
    if framework is not None:
        said = _typed(framework, change)
    else:
        spelled = {title: _typed(name, change) for name, title in _USUAL.items()}
        said = ", ".join(f"{options} in {title}" for title, options in spelled.items() if options)
        same = set(spelled.values())
        said = same.pop() if len(same) == 1 else said
    return "" if has_control(said) else said


def _typed(framework: str, change: Change) -> str:
    """The options in this framework's spelling; "" where it lacks one of them."""
    options = [_spelled(framework, field, value) for field, value in change.flags.items()]
    if None in options or not all(_has(framework, option) for option in change.add):
        return ""
    text = " ".join([*(option for option in options if option), *(_literal(option) for option in change.add)])
    return f"`{text}`" if text else ""


def _spelled(framework: str, field: str, value: str) -> str | None:
    """One option; None where neither the framework nor docker has it."""
    option = _option(framework, field) or _option(_CONTAINER, field)
    if option is None:
        return None
    if option.kind == "flag":
        return option.names[0] if value.lower() in _TRUE else ""
    return f"{option.names[0]} {shlex.quote(value)}"


def _has(framework: str, literal: str) -> bool:
    name = (literal.split() or [""])[0].partition("=")[0]
    specs = [spec for spec in (registry.by_name(framework), registry.by_name(_CONTAINER)) if spec is not None]
    return any(registry.find_option(spec, name) is not None for spec in specs)


def _literal(option: str) -> str:
    try:
        return shlex.join(shlex.split(option))
    except ValueError:
        return shlex.quote(option)


def _option(name: str, field: str) -> Option | None:
    spec = registry.by_name(name)
    return registry.option_for(spec, field) if spec else None
