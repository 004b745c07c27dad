"""The catalogue of fact paths follows from the fact structs."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from gpudoctor.engine.catalogue import did_you_mean, entries, fields, item_path, key_fields
from gpudoctor.engine.causes import causes
from gpudoctor.engine.expression import compile_expression
from gpudoctor.engine.kinds import INT, MAP, STR
from gpudoctor.engine.lint import lint
from gpudoctor.engine.rule_schema import rule_schema
from gpudoctor.model.facts import Facts, Gpu, GpuPair, GpuProcess, Xid
from gpudoctor.paths import rules_dir
from tests.engine.samples import BASE


def test_every_field_of_every_section_has_a_kind() -> None:
    paths = {entry.path: entry.kind for entry in entries()}
    assert paths["shm.size_bytes"] == "whole number"
    assert paths["gpus.devices"] == "list of Gpu"
    assert paths["gpus.devices[].processes[].owner"] == "text"
    assert paths["environment.variables"] == "map of text"
    for section in msgspec.structs.fields(Facts):
        assert any(path.startswith(f"{section.name}.") for path in paths)


def test_plain_fields_are_told_from_facts() -> None:
    assert fields(Gpu)["index"].plain
    assert not fields(Gpu)["name"].plain
    assert (fields(Gpu)["index"].kind, fields(Gpu)["name"].kind) == (INT, STR)
    assert fields(type(Facts().environment))["shell"].kind == MAP


@pytest.mark.parametrize("path", sorted(entry.path for entry in entries() if "[" not in entry.path))
def test_every_fact_path_compiles(path: str) -> None:
    compile_expression(path, {})


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (Gpu(index=3), "x[3]"),
        (GpuPair(a=0, b=2), "x[0-2]"),
        (GpuProcess(pid=77), "x[77]"),
        (Xid(code=79), "x[5]"),
        ("plain", "x[5]"),
    ],
)
def test_an_item_is_called_by_its_key_else_by_its_position(item: object, path: str) -> None:
    assert item_path("x", item, 5) == path


def items(struct: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """Every kind of item below a struct."""
    kinds = [kind.element.struct for kind in (field.kind for field in fields(struct).values()) if kind.element]
    direct = {kind for kind in kinds if kind is not None}
    return direct.union(*(items(kind) for kind in direct))


SECTIONS = [field.kind.struct for field in fields(Facts).values() if field.kind.struct is not None]
ITEMS = {item for section in SECTIONS for item in items(section)}


@pytest.mark.parametrize("item", sorted(ITEMS, key=str))
def test_keys_are_found_without_asking_what_annotations_mean(item: type[msgspec.Struct]) -> None:
    """Which needs them as objects: a module of facts with `from __future__ import annotations` would have texts."""
    plain = {name for name, field in fields(item).items() if field.plain}
    assert set(key_fields(item)) <= plain
    assert all(
        not isinstance(hint, str) for cls in item.__mro__ for hint in getattr(cls, "__annotations__", {}).values()
    )


def test_a_suggestion_is_close_or_the_short_list() -> None:
    assert did_you_mean("visble", ["visible", "other"]) == "did you mean visible?"
    assert did_you_mean("zzz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("zzz", [str(i) * 9 for i in range(50)]) == ""


def test_causes_have_a_group_and_a_meaning_of_their_own() -> None:
    table = causes()
    assert len(table) >= 42
    assert all(cause.group and cause.meaning for cause in table.values())
    assert {code for code, cause in table.items() if cause.hardware} == {"nvlink_fault", "gpu_fault", "power_thermal"}


def test_the_schema_accepts_a_good_rule_and_refuses_a_bad_one() -> None:
    schema = msgspec.json.decode(rule_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(BASE)) == []
    for change in (
        {"severity": "bad"},
        {"unknown": 1},
        {"cause": "nothing"},
        {"cases": [{"given": {"workload.tpp": 1}}]},
    ):
        assert list(validator.iter_errors({**BASE, **change}))


def test_lint_of_a_folder_that_is_not_there_is_a_problem() -> None:
    assert "is no folder" in lint([rules_dir() / "nothing"])[0].message
