"""The table of the differential: what it names exists, and every run finds a row."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from gpudoctor.data.differential import Signs, differential
from gpudoctor.data.nccl_variables import table as variables
from gpudoctor.engine.causes import causes
from gpudoctor.model.smoke import Part

TABLE = differential()
PARTS = [arm.part for arm in TABLE.arms]


def test_every_part_has_one_arm_and_is_one_that_a_decision_may_name() -> None:
    assert len(set(PARTS)) == len(PARTS)
    assert set(PARTS) <= set(get_args(Part))


def test_every_row_names_parts_that_have_an_arm() -> None:
    for order in TABLE.orders:
        assert set(order.parts) <= set(PARTS)
        assert order.when.said in ("", *PARTS)


def test_the_control_is_without_everything_that_an_arm_is_without() -> None:
    for arm in TABLE.arms:
        for name in arm.env:
            assert name in TABLE.control.env, f"{name} stays on in the control"


def test_every_variable_is_one_of_nccl_since_the_version_that_the_table_says() -> None:
    known = variables().variables
    assert set(TABLE.control.env) <= set(known)
    for arm in TABLE.arms:
        assert [known[name].since for name in arm.env if arm.since] in ([], [arm.since])


def test_causes_that_words_decide_exist() -> None:
    assert set(TABLE.decided_by_words) <= set(causes())


@pytest.mark.parametrize("said", ["", *PARTS])
def test_every_run_finds_a_row(said: str) -> None:
    stages = ("", "bootstrap", "setup", "data")
    transports = ("", "P2P/CUMEM", "P2P/IPC, SHM", "SHM", "NET/Socket", "NET/IB", "LL")
    for stage, transport, diagnostics in product(stages, transports, ("", "passed", "failed", "import", "unfinished")):
        assert TABLE.parts_for(Signs(said=said, stage=stage, transport=transport, diagnostics=diagnostics))


@pytest.mark.parametrize(
    ("broad", "narrow"), [("p2p", "nvls"), ("p2p", "cumem"), ("cumem", "nvls"), ("shm", "cumem_host")]
)
def test_narrow_settings_come_before_broad_ones(broad: str, narrow: str) -> None:
    for order in TABLE.orders:
        if broad in order.parts and narrow in order.parts and order.when.said != broad:
            assert order.parts.index(narrow) < order.parts.index(broad)
