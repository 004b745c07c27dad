"""What was said of the run and could not be used: without a word about it, "nothing wrong found" would promise more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gpudoctor.model.facts import Facts, Workload

_MEMORY: Final = "whether it fits the GPUs' memory, and which TP sizes it allows, was not judged"
_HELP: Final = "name its folder with the config.json, or ask gpudoctor fit --params 70b"


def unjudged(facts: Facts, *, launch: bool) -> Iterator[str]:
    """Sentences for the report's notes. `launch`: a launch command was given."""
    workload = facts.workload
    model = workload.model.or_none()
    if launch and not _understood(workload):
        yield "No launch command of a known framework was found in what follows --: only the machine was judged."
    if model and not facts.model.id.known:
        yield f"Nothing is known of the model {model[:120]}: {_MEMORY}. To have it judged {_HELP}."
    elif model and facts.model.weights_bytes.absent == "not_provided":
        yield f"The memory of {model[:120]} was not judged: {facts.model.weights_bytes.detail}."


def _understood(workload: Workload) -> bool:
    return any(fact.known for fact in (workload.framework, workload.model, workload.container, workload.world_size))
