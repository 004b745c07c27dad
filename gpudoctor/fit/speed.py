"""How long a token and a prompt take: bytes read over bandwidth, work a layer, and all-reduces between the cards.

Relative figures are what this is for. The constants, what they were fitted to and how far off they are: data/
parallelism.json. Not modelled: speculative decoding, several users' prompts at once, waiting for the busiest expert.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from msgspec.structs import replace

from gpudoctor.data.hardware import look_up
from gpudoctor.data.parallelism import parallelism
from gpudoctor.fit.card import Card
from gpudoctor.fit.fabric import Fabric, Range
from gpudoctor.fit.gguf import gguf_sizes
from gpudoctor.fit.kv import layer_cache
from gpudoctor.fit.question import Question
from gpudoctor.fit.shape import Experts, Shape
from gpudoctor.fit.tensors import Split
from gpudoctor.fit.weights import Placement, rank_weights

_COMPUTE_SPREAD: Final = (0.7, 1.0, 1.3)


class Load:
    """What one model asks of a card, by how many cards share each layer; every figure is worked out once."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self._bytes: dict[int, tuple[float, float]] = {}
        self._numbers: dict[int, tuple[float, float]] = {}
        self._caches: dict[tuple[int, int], int] = {}
        shape = question.shape
        self.reduces = sum((one.mixer is not None) + (one.feed_forward is not None) for one in shape.layers)
        self._kinds = Counter(layer.mixer for layer in shape.layers)
        experts = (layer.feed_forward for layer in shape.layers if isinstance(layer.feed_forward, Experts))
        self._experts = next(experts, None)

    def weights(self, tp: int, users: int) -> float:
        """Bytes that a rank reads for a step: of the experts those that anybody asks for."""
        if tp not in self._bytes:
            question = self.question
            place = Placement(packing=question.packing, plain_bytes=question.plain_bytes)
            rest, experts = self._split(tp, place, question.shape)
            self._bytes[tp] = (rest * self._file_factor, experts * self._file_factor)
        rest, experts = self._bytes[tp]
        return rest + self._hit(users) * experts

    def active(self, tp: int) -> float:
        """Weights that one token passes through on a rank."""
        if tp not in self._numbers:
            bare = replace(self.question.shape, stored=())
            self._numbers[tp] = self._split(tp, Placement(plain_bytes=1.0), bare)
        rest, experts = self._numbers[tp]
        return rest + self._hit(1) * experts

    def cache(self, tp: int, tokens: int) -> int:
        """Bytes of the cache of one user that a rank reads for a step."""
        if (tp, tokens) not in self._caches:
            total = 0
            for mixer, count in self._kinds.items():
                found = layer_cache(mixer, tp, self.question.kv_bytes)
                total += count * (found.per_token * min(tokens, found.window or tokens) + found.state)
            self._caches[tp, tokens] = total
        return self._caches[tp, tokens]

    def _split(self, tp: int, place: Placement, shape: Shape) -> tuple[float, float]:
        """All that is read whatever is asked for, and the experts."""
        split = Split(tp, tp if self.question.expert_parallel else 1)
        classes = rank_weights(shape, replace(place, split=split, rope_bytes=0.0)).classes
        unread = {"vision", "mtp", "experts"} | (set() if shape.tied else {"embedding"})
        return sum(size for name, size in classes.items() if name not in unread), classes.get("experts", 0)

    @cached_property
    def _file_factor(self) -> float:
        """GGUF: the formula by tensors stands in for what `rank_weights` takes for 16 bits."""
        packing, shape = self.question.packing, self.question.shape
        if packing is None or not packing.method.startswith("gguf:") or shape.stored:
            return 1.0
        sizes = gguf_sizes(shape, packing.method.partition(":")[2])
        plain = sum(self._split(1, Placement(packing=packing), shape))
        return (sum(sizes.layers) + sizes.output) / plain if plain else 1.0

    def _hit(self, users: int) -> float:
        """The share of all experts that a step of so many tokens asks for, each token at random."""
        part = self._experts
        if part is None or not part.count:
            return 1.0
        return 1.0 - (1.0 - min(1.0, part.active / part.count)) ** users


class Speed:
    """The times of one model on cards of known bandwidth; everything else follows from how it is cut."""

    def __init__(self, load: Load, fabric: Fabric) -> None:
        self.load = load
        self.fabric = fabric
        self._model = parallelism().model
        self._shape = load.question.shape

    def step_us(self, stages: Sequence[Sequence[Card]], users: int = 1, context: int = 0) -> Range | None:
        """Microseconds until each of `users` has another token; None where a card's bandwidth is not known.

        Args:
            stages: the cards of each pipeline stage; one stage with several cards is tensor parallelism alone.
            users: sequences in the step. A pipeline works on as many groups of them at once as it has stages.
            context: tokens of each in the cache; 0: as many as the model says.
        """
        tp, depth = len(stages[0]), len(stages)
        slowest = [min((card.memory_bandwidth_gbs or 0.0) for card in stage) for stage in stages]
        if not all(slowest):
            return None
        group = max(1, users // depth)
        size = self.load.weights(tp, group) + group * self.load.cache(tp, context or self._model.context_tokens)
        memory = sum(size / depth / (self._model.memory_share * speed * 1e3) for speed in slowest)
        reduce = self.fabric.time_us(tp, group * self._shape.hidden * 2)
        fixed = self._model.step_us + (depth - 1) * self._model.hop_us
        low, middle, high = (
            memory + fixed + self._shape.depth * layer + self.load.reduces * one
            for layer, one in zip(self._model.layer_us, reduce, strict=True)
        )
        return Range(low, middle, high)

    def gain(self, alone: Card, stages: Sequence[Sequence[Card]]) -> Range | None:
        """How many times as fast one user's tokens come as on one card with memory enough, with bounds."""
        one, many = self.step_us([[alone]]), self.step_us(stages)
        if one is None or many is None:
            return None
        # The same engine on both sides: each layer time with each bound of the links.
        layers, depth = self._model.layer_us, self._shape.depth
        ratios = [
            (one.middle + depth * (layer - layers[1])) / (time + depth * (layer - own))
            for layer in layers
            for time, own in zip(many, layers, strict=True)
        ]
        return Range(min(ratios), ratios[4], max(ratios))

    def prompt_us(self, stages: Sequence[Sequence[Card]], *, compute: float = 1.0, which: int = 1) -> float | None:
        """Microseconds for a prompt of the model's length; None where a card's rate is not known.

        Args:
            stages: as in `step_us`.
            compute: factor on the time of the kernels.
            which: bound of the time of an all-reduce: 0 low, 1 middle, 2 high.
        """
        each = self._chunk_us(stages, compute, which)
        if not each:
            return None
        chunks = -(-self._model.prompt_tokens // self._model.chunk_tokens)
        return sum(each) + (chunks - 1) * max(each)  # chunks follow each other; the slowest stage sets the pace

    def many_us(self, stages: Sequence[Sequence[Card]], users: int) -> float | None:
        """Microseconds of all cards for one token of each of many users, who also send prompts."""
        model = self._model
        context = model.users_prompt_tokens + model.users_answer_tokens // 2
        step, chunk = self.step_us(stages, users, context), self._chunk_us(stages, 1.0, 1)
        if step is None or not chunk:
            return None
        prompts = users * model.users_prompt_tokens / model.users_answer_tokens  # tokens, for one that is answered
        return step.middle + prompts / model.chunk_tokens * max(chunk)

    def _chunk_us(self, stages: Sequence[Sequence[Card]], compute: float, which: int) -> list[float]:
        """Microseconds of a chunk of a prompt in each stage; empty where a card's rate is not known."""
        tp, depth, tokens = len(stages[0]), len(stages), self._model.chunk_tokens
        rates = [min((_teraflops(card) or 0.0) for card in stage) for stage in stages]
        if not all(rates):
            return []
        work = compute * 2 * self.load.active(tp) * tokens / self._model.compute_share / 1e6
        sent = self.load.reduces * self.fabric.time_us(tp, tokens * self._shape.hidden * 2)[which]
        return [(work / rate + sent) / depth for rate in rates]

    def prompt_gain(self, alone: Card, stages: Sequence[Sequence[Card]]) -> Range | None:
        """The same for prompts: the time until the first token. Fast kernels make a slow link weigh more."""
        ratios: list[float] = []
        for compute in _COMPUTE_SPREAD:
            one = self.prompt_us([[alone]], compute=compute)
            many = [self.prompt_us(stages, compute=compute, which=which) for which in range(3)]
            if one is None or None in many:
                return None
            ratios += [one / time for time in many if time]
        return Range(min(ratios), ratios[4], max(ratios))


def _teraflops(card: Card) -> float | None:
    row = look_up(card.name) or look_up(f"GeForce {card.name}")
    return row.fp16_dense_tflops if row is not None else None
