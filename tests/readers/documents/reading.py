"""Reads texts as `diagnose` does, kind by kind, and damages them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gpudoctor.logs.join import Part, join
from gpudoctor.model.facts import Facts, Gpu
from gpudoctor.readers.document import Block, Document, blocks, documents

SAMPLES = Path(__file__).with_name("samples")

# Lines of healthy and of broken runs in which there is no document at all.
LOG = """\
INFO 11-02 10:00:00 config.py:887] Defaulting to use mp for distributed inference
INFO 11-02 10:00:01 api_server.py:528] vLLM API server version 0.6.3
(VllmWorkerProcess pid=312) INFO 11-02 10:00:03 utils.py:1008] Found nccl from library libnccl.so.2
host7:312:312 [1] NCCL INFO Bootstrap : Using eth0:172.17.0.4<0>
host7:312:498 [1] NCCL INFO NCCL_P2P_DISABLE set by environment to 1.
host7:312:498 [1] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM
host7:312:498 [0] misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-a1b2c3 to 9637892 bytes
Loading safetensors checkpoint shards:  25% Completed | 1/4 [00:01<00:03,  1.02s/it]
[rank1]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB. GPU 1 has a total capacity of 23 GiB
[rank1]:   File "/opt/conda/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1736, in _wrapped_call_impl
Traceback (most recent call last):
  File "train.py", line 12, in <module>
ncclUnhandledCudaError: Call to CUDA function failed. Run with NCCL_DEBUG=INFO for details.
W1102 10:00:00.123 torch/distributed/run.py:793] Setting OMP_NUM_THREADS environment variable for each process to be 1
{'loss': 1.234, 'learning_rate': 2e-05, 'epoch': 0.1}
step 100 | loss 2.345 | GPU mem 18.2GB | tok/s 12034
172.17.0.1:51234 - "POST /v1/completions HTTP/1.1" 200 OK
""".splitlines()


def sample(name: str) -> list[str]:
    """The lines of a whole document."""
    return (SAMPLES / f"{name}.txt").read_text().splitlines()


def found(lines: Sequence[str], kind: Document) -> list[Block]:
    """The blocks of one kind."""
    return list(blocks(lines, [kind]))


def read(lines: Sequence[str] | str, kind: Document) -> Facts:
    """What one kind reads of a text, its blocks joined."""
    lines = lines.splitlines() if isinstance(lines, str) else lines
    return join(Part(kind.read(block.lines), kind.trust, "text", block.line, kind.name) for block in found(lines, kind))


def read_all(text: str) -> Facts:
    """What all kinds together read of a text."""
    parts = blocks(text.splitlines(), documents())
    return join(
        Part(block.document.read(block.lines), block.document.trust, "text", block.line, block.document.name)
        for block in parts
    )


def gpus(facts: Facts) -> tuple[Gpu, ...]:
    """The listed GPUs."""
    return facts.nvidia_smi.gpus.or_none() or ()
