"""What the launcher asks of a rank."""

from __future__ import annotations

import json
from typing import NamedTuple, Optional, Tuple


class Config(NamedTuple):
    """One argument of the command line, as JSON."""

    pipe: int  # where events are written
    backend: str  # auto | nccl | gloo
    devices_asked: bool  # GPUs were named: the CPU is no substitute
    ops: Tuple[str, ...]
    dtypes: Tuple[str, ...]
    max_bytes: int  # 0: what is usual for the backend
    timeout_s: float
    apart: bool = False  # the other ranks have launchers of their own
    layer: Optional[Tuple[int, int]] = None  # hidden and intermediate size of the layer to run
    collectives: bool = True  # of all ranks; without them only the pairs
    timed: bool = True
    pairs: Tuple[Tuple[int, int], ...] = ()  # ranks to be tested alone, two by two
    pairs_on_cpu: bool = False
    peer: bool = True  # whether pairs also look into each other's memory, without NCCL

    @classmethod
    def parse(cls, text: str) -> Config:
        """Raises TypeError or ValueError where it was not made by this version's launcher."""
        return cls(**json.loads(text))

    def shared(self) -> list[object]:
        """What must be the same on every rank."""
        return [self.ops, self.dtypes, self.max_bytes, self.layer, self.collectives, self.timed, self.pairs]
