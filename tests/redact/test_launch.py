"""No secret of a launch command gets past the border, and nothing else of it is touched."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudoctor.redact.launch import STAND_IN, without_secrets

SECRET = "Zq9-hunter2-XyZ"  # noqa: S105


@pytest.mark.parametrize(
    "words",
    [
        ["vllm", "serve", "m", "--api-key", SECRET],
        ["vllm", "serve", "m", f"--api-key={SECRET}"],
        ["vllm", "serve", "m", f"--api_key={SECRET}"],
        ["vllm", "serve", "m", "--hf-token", SECRET, "--tokenizer", "t"],
        [f"HF_TOKEN={SECRET}", "vllm", "serve", "m"],
        ["env", f"HUGGING_FACE_HUB_TOKEN={SECRET}", "vllm", "serve", "m"],
        ["docker", "run", "-e", f"HF_TOKEN={SECRET}", "vllm/vllm-openai"],
        ["docker", "run", f"--env=HF_TOKEN={SECRET}", "vllm/vllm-openai"],
        ["docker", "run", f"-eAWS_SECRET_ACCESS_KEY={SECRET}", "vllm/vllm-openai"],
        ["docker", "run", "x", "bash", "-c", f"export HF_TOKEN={SECRET}; vllm serve m --api-key '{SECRET} {SECRET}'"],
        [f"HF_TOKEN='{SECRET}' vllm serve m --api-key=\"{SECRET}\""],
        ["vllm", "serve", f"https://bob:{SECRET}@models.example/m"],
        ["vllm", "serve", f"https://:{SECRET}@models.example/m"],
        ["curl", "-H", f"Authorization: Bearer {SECRET}"],
        ["vllm", "serve", "m", "--ssl-keyfile-password", SECRET],
        ["ray", "start", f"--redis-password={SECRET}"],
    ],
)
def test_a_secret_is_replaced(words: list[str]) -> None:
    kept, count = without_secrets(words)
    assert SECRET not in " ".join(kept)
    assert count >= 1
    assert STAND_IN in " ".join(kept)
    assert without_secrets(kept) == (kept, 0)


@pytest.mark.parametrize(
    "token", ["hf_abcdefghijklmnop", "sk-abcdefghijkl", "ghp_abcdefghijkl", "nvapi-abcdefghij", "AKIAABCDEFGHIJKLMNOP"]
)
def test_a_known_kind_of_token_is_found_anywhere(token: str) -> None:
    assert token not in " ".join(without_secrets(["python", "run.py", token, f"x={token}"])[0])


@pytest.mark.parametrize(
    "command",
    [
        "vllm serve m --tokenizer t --tokenizer-mode auto --max-num-batched-tokens 8192 --num-speculative-tokens 4",
        "TOKENIZERS_PARALLELISM=false vllm serve m --ssl-keyfile /etc/key.pem",
        'docker run -e HF_TOKEN -e HF_TOKEN=$HF_TOKEN x --api-key $KEY --api-key ${KEY} --api-key "$(cat key)"',
        "vllm serve org/keyboard-7b --served-model-name token --tensor-parallel-size 2",
        "NCCL_IB_PKEY=0 torchrun --nproc-per-node 2 --rdzv-endpoint host:29500 train.py --key --seed 1",
        "vllm serve m --enable-auth-token --tensor-parallel-size 2",
        "vllm serve http://host:8000/m",
        "vllm serve m --api-key <key>",
    ],
)
def test_nothing_else_is_touched(command: str) -> None:
    for words in (command.split(), [command], shlex.split(command)):
        assert without_secrets(words) == (tuple(words), 0)


@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_words_are_survived_and_keep_their_number(words: list[str]) -> None:
    kept, _ = without_secrets(words)
    assert len(kept) == len(words)


def test_a_huge_hostile_command_is_read_in_no_time() -> None:
    for piece in (
        "a-" * 60_000,
        "--token-" * 15_000,
        "key=" * 30_000,
        "a:" * 60_000,
        "'" * 100_000,
        "bearer " * 15_000,
    ):
        assert len(without_secrets([piece])[0]) == 1
