"""The JSON Schema of a rule file, from the same structs that check it."""

from __future__ import annotations

import msgspec

from gpudoctor.engine.catalogue import entries
from gpudoctor.engine.causes import causes
from gpudoctor.engine.rule import RuleFile


def rule_schema() -> str:
    """The schema as JSON text, for editors: `# yaml-language-server: $schema=rule.schema.json`."""
    schema = msgspec.json.schema(RuleFile, schema_hook=_anything)
    definitions = schema["$defs"]
    definitions["RuleFile"]["properties"]["cause"]["enum"] = list(causes())
    paths = [entry.path for entry in entries() if "[" not in entry.path]
    definitions["CaseSpec"]["properties"]["given"]["propertyNames"] = {"enum": paths}
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "gpudoctor rule", **schema}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _anything(_: type) -> dict[str, object]:
    """The values of `given`: their types follow from the path and are checked by `facts_of`."""
    return {"description": "a value, a list of items, or {absent: reason}"}
