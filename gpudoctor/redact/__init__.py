"""What leaves the machine in a snapshot: identifying values become pseudonyms, the same value the same pseudonym."""

from gpudoctor.redact.facts import redact_facts

__all__ = ["redact_facts"]
