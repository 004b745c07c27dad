"""The JSON Schema of a report, derived from the structs. `gpudoctor/data/report.schema.json` is its output."""

from __future__ import annotations

import inspect
import json
from typing import Any

from gpudoctor.model.report import SCHEMA, Report

# What the types cannot say. Keys are "Struct.field".
_REFINEMENTS: dict[str, dict[str, object]] = {
    "Report.schema": {"const": SCHEMA},
    "Report.created_at": {"format": "date-time"},
    "Finding.rank": {"minimum": 1},
    "Finding.confidence": {"minimum": 0, "maximum": 1},
    "Finding.id": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
    "Finding.cause": {"pattern": "^[a-z0-9]+(_[a-z0-9]+)*$"},
    "Evidence.line": {"minimum": 0},
    "ProbeResult.seconds": {"minimum": 0},
    "ReportError.exit_code": {"enum": [2, 3]},
    **{f"Summary.{name}": {"minimum": 0} for name in ("errors", "warnings", "infos", "rules_evaluated")},
}
# Structs that are written whole; the others leave out what has its default.
_WHOLE = ("Report", "Tool", "Finding", "Fix", "NotEvaluated", "ProbeResult", "Summary", "ReportError", "FitReport")
_OPTIONAL = ("Report.error", "Report.smoke", "Report.fit")


def report_schema() -> dict[str, Any]:  # a JSON Schema has no narrower type
    """The schema, draft 2020-12.

    Unknown keys are allowed everywhere: minor versions add keys, and a reader must not stumble over them.
    """
    import msgspec

    (reference,), structs = msgspec.json.schema_components((Report,), ref_template="#/$defs/{name}")
    for name, struct in structs.items():
        _refine(name, struct)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gpudoctor report",
        **reference,
        "$defs": {name: structs[name] for name in sorted(structs)},
    }


def schema_text() -> str:
    """The file's content."""
    return json.dumps(report_schema(), indent=1, ensure_ascii=True, sort_keys=True) + "\n"


def _refine(name: str, struct: dict[str, Any]) -> None:
    struct.pop("additionalProperties", None)
    if "description" in struct:  # a docstring, whose indentation Python 3.13 takes out
        struct["description"] = inspect.cleandoc(struct["description"])
    if name.startswith("Fact_"):
        # A value, or an absence with its reason, never both.
        struct["oneOf"] = [
            {"required": ["value"], "not": {"required": ["absent"]}},
            {"required": ["absent"], "not": {"required": ["value"]}},
        ]
    if name in _WHOLE:
        struct["required"] = [field for field in struct["properties"] if f"{name}.{field}" not in _OPTIONAL]
    for field, definition in struct.get("properties", {}).items():
        definition.update(_REFINEMENTS.get(f"{name}.{field}", {}))
