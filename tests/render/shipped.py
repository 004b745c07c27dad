"""The schema that a wheel brings, by which others check reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA_FILE = Path(__file__).parents[2] / "gpudoctor" / "data" / "report.schema.json"


def validator() -> jsonschema.Draft202012Validator:
    """Of reports."""
    schema: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)
