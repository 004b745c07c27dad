"""The answer to a question: the engine's memory, the rules of cutting, and whether there are cards enough."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from msgspec.structs import replace

from gpudoctor.fit.legality import obstacles
from gpudoctor.fit.prediction import Limit, Prediction
from gpudoctor.fit.question import BY_LAYERS, Engine, Question

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULES: Final[dict[Engine, str]] = {
    "vllm": "vllm",
    "sglang": "sglang",
    "tgi": "after_loading",
    "trtllm": "after_loading",
    "llamacpp": "layered",
    "exllamav2": "layered",
    "exllamav3": "layered",
    "transformers": "layered",
}


def predict(question: Question) -> Prediction:
    """Memory of each rank and everything that stands in the way, worst first.

    Only the module of the engine in question is loaded: start-up time counts.
    """
    module = import_module(f"gpudoctor.fit.engines.{_MODULES[question.engine]}")
    found = cast("Callable[[Question], Prediction]", module.predict)(question)
    first = [Limit(kind="tp_size", text=clause) for clause in obstacles(question)]
    return replace(found, limits=(*first, *_cards(question), *found.limits))


def _cards(question: Question) -> list[Limit]:
    """Too few of them."""
    have, need = len(question.cards), question.world
    if have >= need or (question.engine in BY_LAYERS and question.tp * question.pp == 1):
        return []
    parts = [f"TP {question.tp}"]
    parts += [f"PP {question.pp}"] if question.pp > 1 else []
    parts += [f"DP {question.dp}"] if question.dp > 1 else []
    return [Limit(kind="cards", text=f"{' x '.join(parts)} takes {need} GPUs, there are {have}")]
