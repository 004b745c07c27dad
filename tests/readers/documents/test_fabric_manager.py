"""The fabric manager's service."""

from __future__ import annotations

import pytest

from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents.fabric_manager import DOCUMENT
from tests.readers.documents.reading import read, sample


def test_a_service_that_failed() -> None:
    driver = read(sample("fabric_manager"), DOCUMENT).driver
    assert driver.fabric_manager.value == "not_running"


@pytest.mark.parametrize(
    ("state", "running"),
    [("active (running)", "running"), ("inactive (dead)", "not_running"), ("activating (start)", "not_running")],
)
def test_states(state: str, running: str) -> None:
    text = f"nvidia-fabricmanager.service - NVIDIA fabric manager service\n     Active: {state} since Mon\n"
    assert read(text, DOCUMENT).driver.fabric_manager.value == running


def test_a_service_that_is_not_there() -> None:
    text = "Unit nvidia-fabricmanager.service could not be found."
    assert read(text, DOCUMENT).driver.fabric_manager.value == "not_installed"


def test_a_cut_answer_and_a_mention_say_nothing() -> None:
    assert read(sample("fabric_manager")[:2], DOCUMENT) == Facts()
    assert read("please restart nvidia-fabricmanager.service first", DOCUMENT) == Facts()
