"""Ways to spread a model over cards: tensor parallelism, a pipeline, copies, and what each comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from gpudoctor.data.parallelism import parallelism
from gpudoctor.fit.card import Card
from gpudoctor.fit.fabric import Fabric, Range
from gpudoctor.fit.legality import obstacles
from gpudoctor.fit.prediction import Prediction
from gpudoctor.fit.predictor import predict
from gpudoctor.fit.question import BY_LAYERS, Question
from gpudoctor.fit.speed import Load, Speed

_NO_PIPELINE: Final = ("tgi",)
_PIPELINES: Final = (1, 2, 4, 8, 16)
_MAX_CARDS: Final = 64


class Option(Struct, frozen=True, kw_only=True):
    """One way. Gains are against one of the cards, with memory enough; None where a card's speed is not known."""

    tp: int
    pp: int
    dp: int
    fits: bool
    why_not: str = ""  # one clause, where it does not fit or is not possible
    legal: bool = True
    kv_tokens: int | None = None  # of all copies together
    decode: Range | None = None  # tokens of one user
    prompt: Range | None = None
    throughput: float | None = None  # of many users, all copies together
    split: str = ""  # "layer" or "tensor": how engines call it that have no TP size
    short_bytes: int = 0  # a card

    @property
    def cards(self) -> int:
        """Cards that it takes."""
        return self.tp * self.pp * self.dp

    @property
    def name(self) -> str:
        """`TP 4`, `2 copies of TP 2`, `TP 2 x PP 2`, `layer split over 3`."""
        if self.split:
            inner = f"{self.split} split over {self.tp * self.pp}"
        else:
            parts = [f"TP {self.tp}"] if self.tp > 1 else []
            parts += [f"PP {self.pp}"] if self.pp > 1 else []
            inner = " x ".join(parts) or "one GPU"
        if self.dp == 1:
            return inner
        return f"{self.dp} copies of {inner}" if inner != "one GPU" else f"{self.dp} copies, one a GPU"


class Setting(Struct, frozen=True, kw_only=True):
    """What the options are for. `pair` is the link within a pair, where it is better than between all."""

    question: Question
    fabric: Fabric
    pair: Fabric | None = None

    @property
    def cards(self) -> tuple[Card, ...]:
        """All cards that may be used."""
        return self.question.cards[:_MAX_CARDS]

    @property
    def per_node(self) -> int:
        """Cards of one node."""
        return max(1, len(self.cards) // self.fabric.nodes)

    def speeds(self) -> Speeds:
        """Times over all links, and over those within a pair."""
        load = Load(self.question)
        return Speeds(Speed(load, self.fabric), Speed(load, self.pair or self.fabric))


class Speeds(NamedTuple):
    """Times over the links between all cards, and over those within a pair."""

    all: Speed
    pair: Speed

    def of(self, tp: int) -> Speed:
        """Over the links that a group of this size uses."""
        return self.pair if tp == 2 else self.all


def options(setting: Setting) -> tuple[Option, ...]:
    """Every way that is worth a thought, smallest groups first; the one asked for is among them."""
    question = setting.question
    found = _by_layers(setting) if question.engine in BY_LAYERS else _cut(setting)
    return tuple(sorted(found, key=lambda option: (option.tp * option.pp, option.pp, option.split)))


def _cut(setting: Setting) -> Iterator[Option]:
    question, count, speeds = setting.question, len(setting.cards), setting.speeds()
    sizes = sorted({tp for tp in range(1, count + 1) if _possible(question, tp)} | {question.tp, count})
    for tp in sizes:
        pipelines = {pp for pp in (*_PIPELINES, count // max(tp, 1), question.pp) if pp > 0 and tp * pp <= count}
        for pp in sorted(pipelines):
            if pp > question.shape.depth or (pp > 1 and question.engine in _NO_PIPELINE):
                continue
            asked = (tp, pp) == (question.tp, question.pp)
            if asked or count % (tp * pp) == 0 or pp == 1:
                yield _option(setting, speeds, tp, pp, count // (tp * pp))


def _possible(question: Question, tp: int) -> bool:
    return next(obstacles(replace(question, tp=tp)), None) is None


def _option(setting: Setting, speeds: Speeds, tp: int, pp: int, dp: int) -> Option:
    asked = replace(setting.question, tp=tp, pp=pp, dp=1, expert_parallel=setting.question.expert_parallel and tp > 1)
    obstacle = next(obstacles(asked), "")
    if obstacle or dp == 0:
        return Option(tp=tp, pp=pp, dp=max(dp, 1), fits=False, legal=not obstacle, why_not=obstacle or "too few GPUs")
    groups = list(_groups(setting.cards, tp * pp, dp))
    answers = [predict(replace(asked, cards=group)) for group in dict.fromkeys(groups)]
    worst = min(answers, key=lambda answer: (answer.fits, answer.kv_tokens or 0))
    return _judged(setting, speeds, Option(tp=tp, pp=pp, dp=dp, fits=worst.fits), worst, groups)


def _by_layers(setting: Setting) -> Iterator[Option]:
    """Engines that deal out whole layers: copies, a layer split, and llama.cpp's tensor split."""
    question, count, speeds = setting.question, len(setting.cards), setting.speeds()
    for width in sorted({1, count} | {n for n in range(2, count) if count % n == 0}):
        for split in ("layer", "tensor") if width > 1 and question.engine == "llamacpp" else ("layer",):
            asked = replace(question, tp=1, pp=1, dp=1)
            tensor = split == "tensor"
            if question.engine == "llamacpp":
                asked = replace(asked, split_mode="tensor" if tensor else "layer", tp=width if tensor else 1)
            groups = list(_groups(setting.cards, width, count // width))
            answer = predict(replace(asked, cards=groups[0]))
            bare = Option(
                tp=width if tensor else 1,
                pp=1 if tensor else width,
                dp=count // width,
                fits=answer.fits,
                split=split if width > 1 else "",
            )
            yield _judged(setting, speeds, bare, answer, groups)


def _groups(cards: Sequence[Card], size: int, count: int) -> Iterator[tuple[Card, ...]]:
    for start in range(0, size * count, size):
        yield tuple(cards[start : start + size])


def _judged(
    setting: Setting, speeds: Speeds, option: Option, worst: Prediction, groups: Sequence[tuple[Card, ...]]
) -> Option:
    limit = worst.limits[0] if worst.limits else None
    why_not = limit.text if limit is not None else ""
    stages = _stages(option, groups[0])
    tokens = worst.kv_tokens * option.dp if worst.kv_tokens is not None else None
    if option.tp > setting.per_node:
        return replace(option, why_not=why_not, kv_tokens=tokens)  # over the network: no table tells how fast
    speed, alone = speeds.of(option.tp), fastest(setting.cards)
    return replace(
        option,
        why_not=why_not,
        short_bytes=limit.short_bytes if limit is not None else 0,
        kv_tokens=tokens,
        decode=speed.gain(alone, stages),
        prompt=speed.prompt_gain(alone, stages),
        throughput=_throughput(setting, speed, option, groups, worst.kv_tokens) if option.fits else None,
    )


def fastest(cards: Sequence[Card]) -> Card:
    """The card that gains are told against."""
    return max(cards, key=lambda card: card.memory_bandwidth_gbs or 0.0)


def _throughput(
    setting: Setting, speed: Speed, option: Option, groups: Sequence[tuple[Card, ...]], tokens: int | None
) -> float | None:
    """Of as many users as the cache has room for, against one card with room for all of them."""
    model = parallelism().model
    room = model.users if tokens is None else tokens // (model.users_prompt_tokens + model.users_answer_tokens)
    users = max(1, min(room, model.users // option.dp))
    share = model.pipeline_share if option.pp > 1 else 1.0
    base = speed.many_us([[fastest(setting.cards)]], model.users)
    total = 0.0
    for group in groups:
        each = speed.many_us(_stages(option, group), users)
        if each is None or base is None:
            return None
        total += share * users / each * base / model.users
    return total


def _stages(option: Option, group: tuple[Card, ...]) -> list[tuple[Card, ...]]:
    return [group[i : i + option.tp] for i in range(0, option.tp * option.pp, option.tp)]
