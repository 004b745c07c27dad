"""No seeded secret or identifier survives; what was equal stays equal."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.model.fact import known
from gpudoctor.model.facts import CudaDevice, CudaDriver, Environment, Facts, Gpu, Nvml, Workload
from gpudoctor.redact.facts import redact_facts, redact_text
from gpudoctor.redact.pseudonyms import Pseudonyms

UUID = "GPU-8f2a1c3d-6b1e-4c55-9a77-0123456789ab"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("vllm serve x --api-key sk-abcdefghij123", "sk-abcdefghij123"),
        ("--api-key=verysecret", "verysecret"),
        ("--hf-token hunter2hunter2", "hunter2hunter2"),
        ("HF_TOKEN=hf_abcdefghijklmn vllm serve", "hf_abcdefghijklmn"),
        ("https://bob:passw0rd@registry.example/x", "passw0rd"),
        ("MASTER_ADDR=10.20.30.40", "10.20.30.40"),
        ("at 203.0.113.9 now", "203.0.113.9"),
        ("[2001:db8::17]:29500", "2001:db8::17"),
        ("/home/alice/models/x", "alice"),
        ("mac 52:54:00:ab:cd:ef", "52:54:00:ab:cd:ef"),
        (UUID, "8f2a1c3d"),
        ("alice@example.com", "alice@"),
    ],
)
def test_a_secret_is_gone(text: str, secret: str) -> None:
    assert secret not in redact_text(text, Pseudonyms())


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "0000:17:00.0",
        "0000:c1:00.0",
        "550.54.15",
        "13.580.95.05",
        "NCCL 2.27.5+cuda12.9",
        "eth0",
    ],
)
def test_what_identifies_nobody_is_kept(text: str) -> None:
    assert redact_text(text, Pseudonyms()) == text


def test_equal_values_get_equal_pseudonyms_everywhere() -> None:
    facts = Facts(
        nvml=Nvml(devices=known((Gpu(index=0, uuid=known(UUID, "nvml")),), "nvml")),
        cuda=CudaDriver(devices=known((CudaDevice(index=0, uuid=known(UUID, "cuda")),), "cuda")),
        environment=Environment(variables=known({"CUDA_VISIBLE_DEVICES": UUID}, "environment")),
        workload=Workload(command=known("vllm serve --api-key sk-abcdefghij123", "option")),
    )
    clean, count = redact_facts(facts)
    text = msgspec.json.encode(clean).decode()
    assert UUID not in text
    assert "sk-abc" not in text
    assert text.count("GPU-00000001-0000-0000-0000-000000000000") == 3
    assert count == 2


@given(st.text(max_size=400))
def test_any_text_is_survived_and_a_second_pass_changes_nothing_more(text: str) -> None:
    once = redact_text(text, Pseudonyms())
    assert isinstance(once, str)
