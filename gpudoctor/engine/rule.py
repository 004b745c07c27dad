"""A rule file as frozen structs: exactly the keys of docs/rules.md, unknown keys forbidden."""

from functools import cache
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.msgpack import Decoder

from gpudoctor.model.finding import Needs, Severity
from gpudoctor.model.signature import SignatureKind

Tier = Literal["proof", "log", "fact"]
Status = Literal["preview", "stable", "deprecated"]
Expect = Literal["fires", "silent", "unknown"]

_Slug = Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
_Line = Annotated[str, Meta(min_length=1, max_length=400)]
_Date = Annotated[str, Meta(pattern=r"^20[0-9][0-9]-[01][0-9]-[0-3][0-9]$")]


class SignatureSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a log that the rule knows: `seen.<name>` is the list of hits."""

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]
    pattern: str
    kind: SignatureKind = "root"
    unless: str = ""
    note: str = ""  # of a harmless one: why it means nothing
    literals: tuple[str, ...] = ()  # of the pattern: in the packed form only, to have them without parsing it


class LevelSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Another confidence or severity where `when` is true; the first of the list that is counts."""

    when: str
    confidence: Annotated[float, Meta(gt=0, le=1)] | None = None
    severity: Severity | None = None


class EvidenceSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """An expression to show. With a label a list is one line, without one each item is."""

    expr: str
    label: str = ""


class ChangeSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Templates of a `model.change.Change`."""

    flags: dict[str, str | int | float] = field(default_factory=dict)
    env: dict[str, str | int] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class FixSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to do; at most one of `change` and `command`."""

    title: _Line
    when: str = ""
    change: ChangeSpec | None = None
    command: str = ""
    caveat: str = ""
    needs: Needs = "user"
    undo: str = ""


class Reference(Struct, frozen=True, forbid_unknown_fields=True):
    """Where it is written, and the day on which it was read."""

    title: str
    url: Annotated[str, Meta(pattern="^https?://")]
    date: _Date


class CaseSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A test of the rule. `title`, `subject`, `fix` and `missing` are parts that the result must contain."""

    name: _Line
    expect: Expect
    given: dict[str, object] = field(default_factory=dict)  # plain YAML, checked against the catalogue by cases.py
    log: str = ""  # text that goes through the real reader; `given` comes over what it gives
    title: str = ""
    subject: str = ""
    severity: str = ""  # the whole of it
    fix: str = ""  # of the best fix: title, command or a value of its change
    missing: str = ""  # a path in `not_evaluated`


class RuleSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule, without its cases: those are half of a file, and only tests want them."""

    id: _Slug
    title: _Line
    cause: str
    area: _Slug
    order: Annotated[int, Meta(ge=1, le=9)]
    severity: Severity
    confidence: Annotated[float, Meta(gt=0, le=1)]
    since: str
    status: Status
    tier: Tier = "fact"
    doc: str
    signatures: tuple[SignatureSpec, ...] = ()
    applies: str = ""
    let: dict[str, str] = field(default_factory=dict)
    when: str
    subject: str = "host"
    why: str
    levels: tuple[LevelSpec, ...] = ()
    evidence: tuple[str | EvidenceSpec, ...]
    fixes: tuple[FixSpec, ...]
    verify: str = ""
    persists: bool = False  # the run goes on with it: wrong data, slowness, heat
    explains: tuple[str, ...] = ()
    suppresses: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()


class PackedRule(Struct, frozen=True, array_like=True):
    """A rule of which only the name is decoded: of most rules a run wants no more."""

    id: str
    cause: str
    encoded: memoryview  # of the packed file: neither read nor copied until it is wanted

    def spec(self) -> RuleSpec:
        """All of it. Raises msgspec.MsgspecError."""
        return decoder().decode(self.encoded)


@cache
def decoder() -> Decoder[RuleSpec]:
    """What decodes rules; it is made once, which takes as long as decoding many."""
    return Decoder(RuleSpec)


class RuleFile(RuleSpec, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One whole rule file."""

    cases: tuple[CaseSpec, ...] = ()
