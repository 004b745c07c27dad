"""What a question comes to: bytes by rank, tokens of cache, and what limits it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gpudoctor.fit.shape import TensorClass

LimitKind = Literal["weights", "kv_cache", "activation", "graphs", "free_memory", "cards", "tp_size", "overhead"]


class Limit(Struct, frozen=True, kw_only=True):
    """One thing that stands in the way. `short_bytes` is how much is missing; 0 where it is no matter of bytes."""

    kind: LimitKind
    text: str
    short_bytes: int = 0


class RankUse(Struct, frozen=True, kw_only=True):
    """One card of the run. `kv_cache` is what the engine takes or, where it takes what it needs, needs."""

    rank: int
    card: int  # position among the cards asked about
    weights: int
    kv_cache: int
    activation: int
    overhead: int  # CUDA context, NCCL and libraries, CUDA graphs: what counts against `available`
    available: int  # what weights, cache, activation and overhead have to fit into
    outside: int = 0  # context and graphs that the engine does not count, beyond its share
    kv_needed: int = 0  # for one sequence of full length

    @property
    def required(self) -> int:
        """Everything, with the cache of one sequence."""
        return self.weights + self.activation + self.overhead + self.kv_needed

    @property
    def short_without_cache(self) -> int:
        """Bytes missing before a single token is cached."""
        return self.short - self.kv_needed

    @property
    def short(self) -> int:
        """Bytes missing; negative: to spare."""
        return self.required - self.available


class Prediction(Struct, frozen=True, kw_only=True):
    """The answer. `margin` is how far `required` may be off, in bytes."""

    ranks: tuple[RankUse, ...]
    kv_tokens: int | None  # that fit, over all ranks; None where the engine takes what it needs
    limits: tuple[Limit, ...]
    margin: int
    classes: dict[TensorClass, int]  # weights of the fullest rank
    kv_bytes_per_token: int  # of the fullest rank
    assumptions: tuple[str, ...] = ()
    kv_exact: bool = True

    @property
    def fits(self) -> bool:
        """Whether the run starts and holds one sequence of full length."""
        return not self.limits

    @property
    def worst(self) -> RankUse:
        """The rank with least to spare."""
        return max(self.ranks, key=lambda rank: rank.short)

    @property
    def borderline(self) -> bool:
        """Whether the margin could turn the verdict."""
        return abs(self.worst.short) < self.margin
