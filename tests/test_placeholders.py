"""What counts as a placeholder."""

from __future__ import annotations

import pytest

from tests.placeholders import placeholders


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("export VLLM_HOST_IP=ADDRESS_OF_THIS_NODE", ["ADDRESS_OF_THIS_NODE"]),
        ("ray stop ; ray start --address=HEAD:6379", ["HEAD"]),
        ("echo 'ADDRESS NAME' | sudo tee -a /etc/hosts", ["ADDRESS", "NAME"]),
        ("vllm serve MODEL -tp 2", ["MODEL"]),
        ("CUDA_LAUNCH_BLOCKING=1 COMMAND", ["COMMAND"]),
        ("torchrun ... /path/to/x.py <file>", ["...", "/path/to/x.py", "<file>"]),
        ("env -u NCCL_ALGO vllm serve m && unset NCCL_PROTO NCCL_NET", []),
        ("mpirun -x NCCL_DEBUG=INFO -x LD_LIBRARY_PATH ./all_reduce_perf    # then NAME", []),
        ("nvidia-smi -q -d ECC,ROW_REMAPPER ; env | grep ^NCCL_ ; echo $MASTER_ADDR", []),
    ],
)
def test_words_that_stand_for_something_else(command: str, found: list[str]) -> None:
    assert placeholders(command) == found
