"""Variables of the run, as far as anybody here can know them."""

from __future__ import annotations

from gpudoctor.model.facts import Facts


def undecided(facts: Facts, *names: str) -> str:
    """Why nobody knows whether the run gets one of these variables, or with which value; "" where that is known."""
    gaps = facts.environment.variables_undecided.or_none() or {}
    have = facts.environment.variables.or_none() or {}
    reasons = (gaps.get(name) or gaps.get("*", "") for name in names if name not in have)
    return next((reason for reason in reasons if reason), "")
