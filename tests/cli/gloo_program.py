"""Two ranks over gloo that add numbers: `python gloo_program.py well|raise|hang|die|quiet`. Run by tests of `run`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time


def rank_main(how: str) -> None:
    """One rank; rank 1 is the one that misbehaves."""
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo")
    rank = dist.get_rank()
    ones = torch.ones(4)
    dist.all_reduce(ones)
    print(f"[rank{rank}]: step 1 loss: {float(ones[0])}", flush=True)
    if rank == 1 and how == "raise":
        raise RuntimeError("CUDA error: invalid device ordinal")
    if rank == 1 and how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if rank == 1 and how == "hang":
        time.sleep(600)
    dist.all_reduce(ones)
    print(f"[rank{rank}]: done", flush=True)
    dist.destroy_process_group()


def launch(how: str) -> int:
    """Start both and wait for them; the first bad exit status is ours."""
    env = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": os.environ["TEST_PORT"]}
    ranks = [
        subprocess.Popen([sys.executable, __file__, "--rank", how], env={**env, "RANK": str(i), "LOCAL_RANK": str(i)})
        for i in range(2)
    ]

    def end(*_: object) -> None:
        for rank in ranks:
            rank.terminate()

    signal.signal(signal.SIGTERM, end)
    codes = [rank.wait() for rank in ranks]
    bad = [code for code in codes if code]
    for rank, code in enumerate(codes):
        if code:
            print(f"rank {rank} failed (exitcode: {code}) local_rank: {rank}", flush=True)
    return 0 if not bad else 1


if __name__ == "__main__":
    if sys.argv[1] == "--rank":
        rank_main(sys.argv[2])
    else:
        sys.exit(launch(sys.argv[1]))
