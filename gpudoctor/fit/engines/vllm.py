"""vLLM: a share of each card is the budget; what weights, the profiling run and libraries leave of it is the cache."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from gpudoctor.data.engines import VllmEra, vllm_era
from gpudoctor.fit.card import GIB, Card
from gpudoctor.fit.engines.common import activation_width, card_name, card_of, gib, stage_cards
from gpudoctor.fit.kv import Cache, grouped_cache, plain_cache
from gpudoctor.fit.prediction import Limit, Prediction, RankUse
from gpudoctor.fit.question import Question
from gpudoctor.fit.shape import Attention, Experts, LatentAttention, Layer, LinearAttention, StateSpace
from gpudoctor.fit.stages import layers_of, pipeline
from gpudoctor.fit.tensors import Split
from gpudoctor.fit.weights import ExpertPadding, Placement, RankWeights, rank_weights

# Measured in logs of 0.6 to 0.21 (docs/fit.md).
_NCCL_GIB: Final = {True: 0.42, False: 0.15}  # by whether the GPUs are linked by NVLink: more channels, more buffers
_CONTEXT_GIB: Final = 0.30
_GRAPHS_GIB: Final = 0.03
_GRAPHS_LAYER_GIB: Final = 0.0055  # one layer in all graphs; with experts there are more kernels
_GRAPHS_EXPERTS_GIB: Final = 0.02
_ESTIMATE_OF_GRAPHS: Final = 2.2  # times what capturing takes: 0.58 for 0.24, 1.55 for 0.71 GiB
_TOWER_GIB: Final = 0.5
_ALIGNED: Final = 256  # bytes, of vLLM 0.7's cache entries of latents
_MARGIN_GIB: Final = 0.5
_WIDE_MARGIN_GIB: Final = 3.0  # vision towers and hybrids: their profiling run is not modelled
_V0_LEAST_TOKENS: Final = 2048
_V0_CHUNK: Final = 512
_TOWER_LEAST_TOKENS: Final = 5120


def predict(question: Question) -> Prediction:
    """Memory of each rank.

    Source: worker.py and gpu_worker.py of vLLM 0.1.2 to 0.33, by era (data/engines.json).
    """
    era = _era(question)
    share = question.utilization or era.utilization
    spans = pipeline(question.shape.depth, question.pp)
    sequences, tokens = batch(question, era)
    ranks: list[RankUse] = []
    caches: list[Cache] = []
    weights: list[RankWeights] = []
    for stage, span in enumerate(spans):
        last = stage == question.pp - 1
        held = rank_weights(question.shape, placement(question, span, first=stage == 0, last=last))
        cache = _cache(question, era, span, tokens)
        peak = _activation(question, era, sequences if last else 0, tokens)
        for offset, card in stage_cards(question, stage):
            used = held.total + peak + _overhead(question, era, card)
            budget = round(share * card.total_bytes)
            ranks.append(
                RankUse(
                    rank=offset,
                    card=offset,
                    weights=held.total,
                    kv_cache=budget - used,
                    activation=peak,
                    overhead=_overhead(question, era, card),
                    available=budget,
                    outside=_outside(question, era, card),
                    kv_needed=cache.need(question.context),
                )
            )
            caches.append(cache)
            weights.append(held)
    capacity = min(cache.capacity(rank.kv_cache) for cache, rank in zip(caches, ranks, strict=True))
    worst = max(range(len(ranks)), key=lambda i: ranks[i].short)
    return Prediction(
        ranks=tuple(ranks),
        kv_tokens=capacity * question.dp,
        limits=tuple(_limits(question, era, ranks, caches, share)),
        margin=round(_margin(question) * GIB + 0.01 * question.cards[0].total_bytes),
        classes=weights[worst].classes,
        kv_bytes_per_token=caches[worst].per_token,
        assumptions=_assumptions(question, era, share, sequences, tokens),
    )


def _era(question: Question) -> VllmEra:
    """The rules; before 0.11 cards older than Ampere ran the old engine."""
    era = vllm_era(question.version)
    oldest = min((c.compute_capability for c in question.used_cards if c.compute_capability), default=(8, 0))
    if era.v1 and oldest < (8, 0) and (question.version or (99,)) < (0, 11):
        return vllm_era((0, 7, 3))
    return era


def placement(question: Question, span: tuple[int, int], *, first: bool, last: bool) -> Placement:
    """How vLLM keeps the weights of one stage."""
    card = question.cards[0] if question.cards else None
    capability = (card.compute_capability if card else None) or (8, 0)
    ranks = question.tp * question.dp
    multiplies = _era(question).multiplies_latents
    return Placement(
        split=Split(question.tp, ranks if question.expert_parallel else 1),
        layers=span,
        embedding=first,
        head=last,
        packing=question.packing,
        plain_bytes=question.plain_bytes,
        rope_bytes=question.plain_bytes,
        absorbed=not multiplies,
        absorbed_products=multiplies,
        zero_points=_keeps_zero_points(question, capability),
        padding=_padding(capability),
        measured_as="allocated",
    )


def _keeps_zero_points(question: Question, capability: tuple[int, int]) -> bool:
    """Marlin, which needs Ampere, drops those of symmetric GPTQ."""
    gptq = question.packing is not None and question.packing.method.startswith("gptq")
    return not (gptq and capability >= (8, 0) and (question.version or (99,)) >= (0, 4))


def _padding(capability: tuple[int, int]) -> ExpertPadding:
    """Source: mxfp4.py; Hopper's and Marlin's agree with the weights that logs of gpt-oss print, to 0.3 %."""
    if capability >= (10, 0):
        return ExpertPadding(256, 256)
    return ExpertPadding(256, 1, scales=False) if capability >= (9, 0) else ExpertPadding(128, 256)


def batch(question: Question, era: VllmEra) -> tuple[int, int]:
    """Sequences and tokens of the profiling run."""
    card = question.cards[0] if question.cards else None
    large = card is not None and era.large_from_gib is not None and card.total_gib >= era.large_from_gib
    if large and card is not None:
        large = "a100" not in card.name.lower() and (not era.large_is_hopper or card.compute_capability == (9, 0))
    sequences = question.max_num_seqs or (1024 if large else 256)
    if question.max_num_batched_tokens:
        return sequences, question.max_num_batched_tokens
    if era.v1:
        tokens = 8192 if large else 2048
        return sequences, max(tokens, _TOWER_LEAST_TOKENS if question.shape.tower else 0, sequences)
    if era.chunked_above and question.context > era.chunked_above and not question.shape.tower:
        return sequences, max(_V0_CHUNK, sequences)
    return sequences, max(question.context, _V0_LEAST_TOKENS)


def _activation(question: Question, era: VllmEra, sequences: int, tokens: int) -> int:
    """The larger of the prefill's and the sampler's peak; the latter is not divided by the TP size."""
    prefill = 2 * tokens * activation_width(question)
    sampler = era.sampler_bytes * min(sequences, tokens) * question.shape.vocab
    tower = _TOWER_GIB * GIB if question.shape.tower else 0
    return round(max(prefill, sampler) + tower)


def _cache(question: Question, era: VllmEra, span: tuple[int, int], tokens: int) -> Cache:
    layers = layers_of(question.shape, span)
    if era.groups_layers:
        return grouped_cache(
            layers,
            question.tp,
            question.kv_bytes,
            context=question.context,
            prefill=tokens,
            by_concurrency=era.tokens_by_concurrency,
        )
    found = plain_cache(layers, question.tp, question.kv_bytes)
    if not era.multiplies_latents:
        return found
    aligned = sum(-(-size // _ALIGNED) * _ALIGNED for size in _latent_sizes(question, layers))
    return replace(found, per_token=aligned) if aligned else found


def _latent_sizes(question: Question, layers: tuple[Layer, ...]) -> list[int]:
    """Bytes of a cached latent by layer; nothing for other models."""
    mixers = [layer.mixer for layer in layers]
    return [
        round((mixer.kv_rank + mixer.rope_dim) * question.kv_bytes)
        for mixer in mixers
        if isinstance(mixer, LatentAttention)
    ]


def graphs_bytes(question: Question) -> int:
    """CUDA graphs, as capturing takes it."""
    if question.eager:
        return 0
    layers = question.shape.layers
    experts = sum(isinstance(layer.feed_forward, Experts) for layer in layers)
    size = _GRAPHS_LAYER_GIB * (len(layers) - experts) + _GRAPHS_EXPERTS_GIB * experts
    return round((_GRAPHS_GIB + size / question.pp) * GIB)


def _overhead(question: Question, era: VllmEra, card: Card) -> int:
    """What counts against the budget besides weights and activations."""
    size = era.libraries_gib + (_NCCL_GIB[card.nvlink] if question.tp * question.pp > 1 else 0)
    size += _CONTEXT_GIB if era.profile == "device" else 0
    estimate = _ESTIMATE_OF_GRAPHS * graphs_bytes(question) if era.estimates_graphs else 0
    return round(size * GIB + estimate)


def _outside(question: Question, era: VllmEra, card: Card) -> int:
    """What must fit beside the budget: graphs are captured after the cache has taken all of it."""
    if card.unified:
        return 0
    graphs = graphs_bytes(question) if era.graphs and not era.estimates_graphs else 0
    return graphs + (0 if era.profile == "device" else round(_CONTEXT_GIB * GIB))


def _limits(question: Question, era: VllmEra, ranks: list[RankUse], caches: list[Cache], share: float) -> list[Limit]:
    found: list[Limit] = []
    worst = max(ranks, key=lambda rank: rank.short)
    if worst.weights > worst.available:
        text = f"{gib(worst.weights)} of weights on a GPU, {gib(worst.available)} may be used ({share:.0%} of it)"
        return [Limit(kind="weights", text=text, short_bytes=worst.short_without_cache)]
    if worst.kv_cache <= 0:
        text = f"weights, activations and libraries leave nothing for the KV cache: {gib(-worst.kv_cache)} too much"
        found.append(Limit(kind="kv_cache", text=text, short_bytes=worst.short))
    elif worst.short > 0:
        room = min(cache.longest(rank.kv_cache) for cache, rank in zip(caches, ranks, strict=True))
        text = (
            f"the cache holds {room:,} tokens of one sequence, {question.context:,} are asked for"
            f" ({gib(worst.kv_needed)} needed, {gib(worst.kv_cache)} left)"
        )
        found.append(Limit(kind="kv_cache", text=text, short_bytes=worst.short))
    return found + _beside(question, era, ranks, share)


def _beside(question: Question, era: VllmEra, ranks: list[RankUse], share: float) -> list[Limit]:
    """Memory that others hold, and room beside the budget."""
    for rank in ranks:
        card = card_of(question, rank.card)
        if card.free_bytes is not None and card.free_now < rank.available:
            rule = "vLLM refuses to start" if era.checks_free else "it runs out of memory"
            text = (
                f"{gib(card.free_now)} free on {card_name(card)}, a share of {share:g} is {gib(rank.available)}: {rule}"
            )
            return [Limit(kind="free_memory", text=text, short_bytes=rank.available - card.free_now)]
        left = card.total_bytes - rank.available
        if left < rank.outside:
            text = f"a share of {share:g} leaves {gib(left)} for CUDA context and graphs, about {gib(rank.outside)}"
            return [Limit(kind="graphs", text=text, short_bytes=rank.outside - left)]
    return []


def _margin(question: Question) -> float:
    hybrid = any(isinstance(layer.mixer, (LinearAttention, StateSpace)) for layer in question.shape.layers)
    return _WIDE_MARGIN_GIB if question.shape.tower or hybrid else _MARGIN_GIB


def _assumptions(question: Question, era: VllmEra, share: float, sequences: int, tokens: int) -> tuple[str, ...]:
    said = []
    if question.version is None:
        said.append(f"the newest vLLM known ({'.'.join(map(str, era.since))} and later)")
    if question.utilization is None:
        said.append(f"--gpu-memory-utilization {share:g}")
    if question.max_num_seqs is None:
        said.append(f"--max-num-seqs {sequences}")
    if question.max_num_batched_tokens is None:
        said.append(f"{tokens:,} tokens a step")
    if any(isinstance(layer.mixer, Attention) and layer.mixer.cross for layer in question.shape.layers):
        said.append("the image's part of the cache is not counted")
    return tuple(said)
