"""What `explain` shows: the documentation of a rule or of a cause, free of the engine that applies it."""

from __future__ import annotations

from msgspec import Struct

from gpudoctor.model.finding import Needs, Severity


class Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """A source. `date` is when it was last read, as YYYY-MM-DD; "" where unknown."""

    title: str
    url: str = ""
    date: str = ""


class FixDoc(Struct, frozen=True, forbid_unknown_fields=True):
    """A fix before it is filled in for a machine: `command` may hold `{fact.path}` places."""

    title: str
    command: str = ""
    caveat: str = ""
    undo: str = ""
    needs: Needs = "user"


class RuleDoc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule as a page. `doc` is prose: paragraphs, `- ` lists, indented or fenced code, `# ` headings."""

    id: str
    title: str
    cause: str
    cause_meaning: str = ""
    area: str
    severity: Severity
    order: int  # place in the diagnostic order, 1 to 7
    since: str = ""
    status: str = "stable"  # preview | stable | deprecated
    doc: str
    looks_at: tuple[str, ...]  # the fact paths that the condition reads
    condition: str = ""  # as written in the rule
    fixes: tuple[FixDoc, ...] = ()
    verify: str = ""
    references: tuple[Reference, ...] = ()


class CauseDoc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cause code as a page, with the rules that can find it: first the one whose documentation says most of it."""

    code: str
    meaning: str
    rules: tuple[RuleDoc, ...] = ()
