"""The all-reduces of nccl-test with gloo, in a bare script: what nccl-test is measured against.

python benchmarks/bare_all_reduce.py 2      (with an interpreter that has torch)
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

SIZES = (4, 4096, 16384, 65536, 262144, 1048576, 4194304)


def rank() -> None:
    """One rank: as many rounds of each size and type as nccl-test makes, nothing checked."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    dist.all_reduce(torch.ones(1))
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        for size in SIZES:
            data = torch.ones(max(1, size // dtype.itemsize), dtype=dtype)
            for _ in range(2):
                dist.all_reduce(data)
    for size in SIZES:
        data = torch.zeros(max(1, size // 4))
        for _ in range(7):
            dist.all_reduce(data)
    dist.destroy_process_group()


def launch(count: int) -> int:
    """Start the ranks and wait for them."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    env = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    ranks = [subprocess.Popen([sys.executable, __file__], env={**env, "RANK": str(number)}) for number in range(count)]
    return max(process.wait() for process in ranks)


if __name__ == "__main__":
    if "RANK" in os.environ:
        rank()
    else:
        sys.exit(launch(int(sys.argv[1])))
