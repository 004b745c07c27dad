"""Which rank this is, by the standard environment of torch.distributed."""

from __future__ import annotations

from typing import Mapping, NamedTuple


class Place(NamedTuple):
    """A rank's place in the run."""

    rank: int
    world: int
    local_rank: int
    local_world: int
    host: str
    port: int
    store_elsewhere: bool  # torchrun's agent holds the store
    prefix: str  # of the keys in the store: a restart must not read what the run before it wrote

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Place:
        """Raises KeyError or ValueError where a variable is missing or no number."""
        rank, world = int(environ["RANK"]), int(environ["WORLD_SIZE"])
        return cls(
            rank=rank,
            world=world,
            local_rank=int(environ.get("LOCAL_RANK", rank)),
            local_world=int(environ.get("LOCAL_WORLD_SIZE", world)),
            host=environ["MASTER_ADDR"],
            port=int(environ["MASTER_PORT"]),
            store_elsewhere=environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
            prefix="gpudoctor/" + environ.get("TORCHELASTIC_RESTART_COUNT", "0"),
        )
