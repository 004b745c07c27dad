"""A secret in any text that any probe may bring: it leaves in no snapshot and in no report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gpudoctor.cli.examine.examined import Examined
from gpudoctor.model.facts import Facts
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.snapshot import Snapshot
from gpudoctor.redact.facts import redact_facts
from gpudoctor.redact.hints import may_hold_secrets
from gpudoctor.redact.masked import masked
from tests.cli.conftest import Lab, gpudoctor, lab

__all__ = ["lab"]

HIDDEN = "Zq9hunter2XyZ77"
SEEDS = (
    f"hf_{HIDDEN}",
    f"sk-{HIDDEN}",
    f"ghp_{HIDDEN}",
    f"--api-key {HIDDEN}",
    f"--hf-token={HIDDEN}",
    f"WANDB_API_KEY={HIDDEN}",
    f"my_password='{HIDDEN}'",
    f"https://bob:{HIDDEN}@registry.example/x",
    f"Authorization: Bearer {HIDDEN}",
)
MACHINES = ("h100x8-nvswitch", "l40sx4-docker", "wsl2", "driver-mismatch")
FORMATS = ("json", "text", "markdown", "html", "junit", "sarif", "github", "prometheus")


def seeded(node: Any, seed: str) -> tuple[Any, int]:
    """Every text that is the value of a fact, or an item of one, with the seed behind it; and how many there were."""
    if isinstance(node, str):
        return f"{node} {seed}", 1
    if isinstance(node, list):
        pairs = [seeded(child, seed) for child in node]
        return [child for child, _ in pairs], sum(count for _, count in pairs)
    if isinstance(node, dict):
        # Reasons of absences are a closed set of words.
        pairs_of = {key: (child, 0) if key == "absent" else seeded(child, seed) for key, child in node.items()}
        return {key: child for key, (child, _) in pairs_of.items()}, sum(count for _, count in pairs_of.values())
    return node, 0


def every_text(struct: type[msgspec.Struct], seed: str) -> Any:
    """The plain form of a section with every text field, items included, set to the seed."""
    plain: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        plain[field.encode_name] = _filled(field.type, seed)
    return plain


def _filled(hint: Any, seed: str) -> Any:
    arguments: tuple[Any, ...] = getattr(hint, "__args__", ())
    if getattr(hint, "__origin__", None) is not None and "Fact" in str(hint.__origin__):
        return {"value": _filled(arguments[0], seed), "source": seed}
    return (
        {str: seed, int: 1, float: 1.0, bool: True}.get(hint) if hint in (str, int, float, bool) else _items(hint, seed)
    )


def _items(hint: Any, seed: str) -> Any:
    origin = getattr(hint, "__origin__", None)
    arguments: tuple[Any, ...] = getattr(hint, "__args__", ())
    if origin is tuple:
        return [_filled(arguments[0], seed)]
    if origin is dict:
        return {"NAME": seed}
    return every_text(hint, seed)


@pytest.fixture(scope="module", params=SEEDS)
def full(request: pytest.FixtureRequest) -> Facts:
    """Facts in which every text that there can be holds a secret."""
    facts = msgspec.convert(every_text(Facts, f"text {request.param} text"), type=Facts)
    assert msgspec.json.encode(facts).count(HIDDEN.encode()) > 500
    return facts


def test_no_snapshot_holds_it(full: Facts) -> None:
    clean, removed = redact_facts(full)
    assert HIDDEN.encode() not in msgspec.json.encode(clean)
    assert removed > 0


def test_nothing_that_is_reported_holds_it(full: Facts) -> None:
    found = Examined(full, (ProbeResult("nvml", "failed", 0.0, f"text --api-key {HIDDEN}"),), "2026-11-21T00:00:00Z")
    assert may_hold_secrets(msgspec.msgpack.encode(found))
    assert HIDDEN.encode() not in msgspec.json.encode(masked(found))


@pytest.mark.parametrize("machine", MACHINES)
def test_facts_without_a_secret_are_left_alone(lab: Lab, machine: str, tmp_path: Path) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor("snapshot", "--quick", "--no-redact", "-o", str(file), env=lab.env(machine))
    facts = msgspec.json.decode(file.read_bytes(), type=Snapshot).facts
    assert masked(facts) == facts
    assert not may_hold_secrets(msgspec.msgpack.encode(facts))


@pytest.mark.parametrize("machine", MACHINES[:2])
@pytest.mark.parametrize("format_name", FORMATS)
def test_no_format_shows_what_a_snapshot_of_a_machine_holds(
    lab: Lab, machine: str, format_name: str, tmp_path: Path
) -> None:
    file = tmp_path / "snapshot.json"
    gpudoctor("snapshot", "--quick", "--no-redact", "-o", str(file), env=lab.env(machine))
    content = json.loads(file.read_text())
    content["facts"], count = seeded(content["facts"], f"--api-key {HIDDEN}")
    assert count > 200
    file.write_text(json.dumps(content))
    ran = gpudoctor("check", "--verbose", "--snapshot", str(file), "--tp", "2", "--format", format_name)
    assert ran.code in (0, 1, 3), ran.err
    assert HIDDEN not in ran.out + ran.err


@pytest.mark.parametrize("verb", [("check", "--format", "json"), ("snapshot", "--no-redact"), ("snapshot",)])
def test_a_machine_that_tells_a_secret_is_not_quoted(lab: Lab, verb: tuple[str, ...]) -> None:
    """In a variable that GPU software reads, and where a program prints it: both are really collected."""
    env = lab.env("rtx4090x2", NCCL_NET_PLUGIN=f"x --token {HIDDEN}", HF_ENDPOINT=f"https://bob:{HIDDEN}@hub.example")
    ran = gpudoctor(*verb, "--quick", env=env)
    assert ran.code == 0, ran.err
    assert "NCCL_NET_PLUGIN" in ran.out
    assert HIDDEN not in ran.out + ran.err
