"""What the smoke run (`nccl-test`, `check --smoke`) showed (raw; filled by that run, not by a probe)."""

from gpudoctor.model.fact import NOT_PROVIDED, Fact
from gpudoctor.model.facts.section import Item, Section


class TriedPair(Item, frozen=True, kw_only=True):
    """Two GPUs tested alone, by NVML index, a < b. GB/s are 10^9 bytes of one large message."""

    a: int
    b: int
    verdict: Fact[str] = NOT_PROVIDED  # pass slow wrong_data hang crash inconclusive (not tested)
    a_to_b_gbs: Fact[float] = NOT_PROVIDED
    b_to_a_gbs: Fact[float] = NOT_PROVIDED
    busbw_gbs: Fact[float] = NOT_PROVIDED  # all-reduce of the two
    peer_copy: Fact[str] = NOT_PROVIDED  # verified wrong no_access failed; absent where it was not tried
    transport: Fact[str] = NOT_PROVIDED  # by NCCL's log


class Smoke(Section, frozen=True, kw_only=True):
    """Everything is not_provided where no such run was made."""

    verdict: Fact[str] = NOT_PROVIDED  # pass slow wrong_data hang crash inconclusive
    backend: Fact[str] = NOT_PROVIDED  # nccl | gloo: gloo says nothing about GPUs
    phase: Fact[str] = NOT_PROVIDED
    world_size: Fact[int] = NOT_PROVIDED
    gpus: Fact[tuple[int, ...]] = NOT_PROVIDED  # NVML indices of those that took part, by rank
    nccl: Fact[str] = NOT_PROVIDED  # version
    transport: Fact[str] = NOT_PROVIDED  # what NCCL's log names: P2P/CUMEM, SHM, NET/Socket ...
    interface: Fact[str] = NOT_PROVIDED  # that NCCL's bootstrap took
    said: Fact[str] = NOT_PROVIDED  # the first words of the rank that failed
    decision: Fact[str] = NOT_PROVIDED  # said separated control_failed not_separated not_reproduced out_of_time ...
    part: Fact[str] = (
        NOT_PROVIDED  # what fails, by the trials: p2p cumem cumem_host nvls shm ib interface setting gpu ..
    )
    setting: Fact[str] = NOT_PROVIDED  # with which it passes: NCCL_P2P_DISABLE=1
    settings: Fact[tuple[str, ...]] = NOT_PROVIDED  # the user's variables without which it passes
    reason: Fact[str] = NOT_PROVIDED  # the decision in a sentence
    costs: Fact[str] = NOT_PROVIDED  # what leaving the setting so would cost
    trials: Fact[int] = NOT_PROVIDED  # launches, with the first
    bad_gpus: Fact[tuple[int, ...]] = NOT_PROVIDED  # NVML indices
    bad_pairs: Fact[tuple[TriedPair, ...]] = NOT_PROVIDED  # that fail alone
    pairs: Fact[tuple[TriedPair, ...]] = NOT_PROVIDED
    slow_pairs: Fact[tuple[TriedPair, ...]] = NOT_PROVIDED
    slow_gpus: Fact[tuple[int, ...]] = NOT_PROVIDED  # the one that is in every slow pair, and in more than one
    measured_gbs: Fact[float] = NOT_PROVIDED
    expected_gbs: Fact[float] = NOT_PROVIDED
    compared_with: Fact[str] = NOT_PROVIDED  # siblings | table
    measured_what: Fact[str] = NOT_PROVIDED
    busbw_gbs: Fact[float] = NOT_PROVIDED  # all-reduce of the largest message by all
    diagnostics: Fact[str] = NOT_PROVIDED  # NCCL's own: passed | failed | import
