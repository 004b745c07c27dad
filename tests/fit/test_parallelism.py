"""The advice: what the field knows to be right, for the machines that people have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from gpudoctor.fit.advice_text import in_figures, in_words
from gpudoctor.fit.card import named_card
from gpudoctor.fit.fabric import Fabric, fabric_of
from gpudoctor.fit.identify import identify
from gpudoctor.fit.options import Setting
from gpudoctor.fit.parallelism import Advice, advise
from gpudoctor.fit.question import Question


def advice(model: str, quant: str, *cards: str, fabric: Fabric | None = None, **keys: Any) -> Advice:
    found = identify(model, quant)
    named = tuple(named_card(card) for card in cards)
    keys = {"max_model_len": 8192, **keys}
    question = Question(shape=found.shape, cards=named, packing=found.packing, **keys)
    return advise(Setting(question=question, fabric=fabric or fabric_of(named)))


def best(found: Advice) -> tuple[str | None, str | None]:
    one, many = found.one_user, found.many_users
    return one.name if one else None, many.name if many else None


L8, L70, QWEN32, V3 = "meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-70B", "Qwen/Qwen3-32B", "deepseek-ai/DeepSeek-V3"


@dataclass
class Known:
    """What the field knows, with the source in the name of the case or the note that comes with it."""

    model: str
    quant: str
    cards: tuple[str, ...]
    one: str | None
    many: str | None
    notes: tuple[str, ...] = ()
    keys: dict[str, Any] = field(default_factory=dict)


KNOWN = {
    "a model that fits one card: copies for many": Known(L8, "", ("RTX 4090",) * 2, "TP 2", "2 copies, one a GPU",
                                                         ("one copy a card", "host memory")),
    "one card": Known(L8, "", ("RTX 4090",), "one GPU", "one GPU"),
    "two groups beat one (vllm#8089)": Known(L70, "fp8", ("H100 80GB SXM",) * 8, "TP 4", "4 copies of TP 2",
                                             ("smallest group",)),
    "weights that fill the card: TP (1kkvqti)": Known(QWEN32, "awq", ("RTX 3090",) * 2, "TP 2", "TP 2",
                                                      ("nearly fill the card",)),
    "four cards on PCIe: pairs for many": Known(L70, "awq", ("RTX 3090",) * 4, "TP 4", "2 copies of TP 2",
                                                ("more than two GPUs",)),
    "an odd number of cards: a pipeline": Known("Qwen/Qwen2.5-14B", "", ("RTX 3090",) * 3, "TP 2", "PP 3",
                                                ("PP adds memory",), {"tp": 3}),
    "few active parameters: no TP for speed (vllm#22331)": Known("openai/gpt-oss-120b", "", ("A100 80GB SXM",) * 4,
                                                                 "one GPU", "2 copies of TP 2", ("few active",)),
    "latent attention": Known(V3, "", ("H200",) * 8, "TP 8", "TP 8", ("same on every rank",), {"tp": 8}),
    "nothing fits": Known(L70, "", ("RTX 4090",) * 4, None, None),
    "mixed cards": Known(L70, "awq", ("RTX 3090", "RTX 4090"), "TP 2", "TP 2", ("slowest card",)),
}  # fmt: skip


@pytest.mark.parametrize("case", KNOWN.values(), ids=KNOWN)
def test_the_advice_is_what_the_field_knows_to_be_right(case: Known) -> None:
    found = advice(case.model, case.quant, *case.cards, **case.keys)
    assert best(found) == (case.one, case.many)
    for words in case.notes:
        assert any(words in note.text for note in found.notes), words


def test_every_answer_has_a_reason_and_every_note_an_address() -> None:
    for case in KNOWN.values():
        found = advice(case.model, case.quant, *case.cards, **case.keys)
        assert len(found.options) == 1 or found.reasons
        for said in in_words(found):
            assert said.text[0].isupper() or said.text.startswith(("vLLM", "llama.cpp"))
            assert "None" not in said.text + said.why


def test_an_impossible_size_is_refused_with_the_rule() -> None:
    found = advice("Qwen/Qwen2.5-14B", "", *("RTX 3090",) * 3, tp=3)
    assert "TP 3 is impossible: its 40 attention heads do not divide by 3" in found.reasons
    refused = next(option for option in found.options if option.tp == 3)
    assert (refused.legal, refused.fits) == (False, False)


def test_what_does_not_fit_says_how_far_off_the_nearest_is() -> None:
    found = advice(L70, "", *("RTX 4090",) * 4)
    assert found.reasons[0].startswith("nothing fits on these GPUs; ")
    assert "GiB short on a GPU" in found.reasons[0]
    assert all(option.throughput is None for option in found.options)


def test_llama_cpp_is_asked_about_its_own_splits() -> None:
    found = advice(L70, "gguf:Q4_K_M", "RTX 3090", "RTX 3090", engine="llamacpp")
    assert {option.name for option in found.options} == {
        "2 copies, one a GPU", "layer split over 2", "tensor split over 2",
    }  # fmt: skip
    layer = next(option for option in found.options if option.split == "layer")
    assert layer.decode is not None
    assert layer.decode.middle == pytest.approx(1.0, abs=0.05)  # capacity, not speed
    assert any("memory, not speed" in note.text for note in found.notes)


def test_tgi_has_no_pipelines_and_pipelines_are_no_deeper_than_the_model() -> None:
    assert all(option.pp == 1 for option in advice(L70, "awq", *("RTX 4090",) * 4, engine="tgi").options)
    deep = advice(L8, "", *("RTX 4090",) * 64)
    assert max(option.pp for option in deep.options) <= 32


def test_tp_stays_inside_a_node() -> None:
    cards = ("H100 80GB SXM",) * 16
    two = Fabric(name="nvlink4", words="NVLink", nodes=2)
    found = advice("meta-llama/Llama-3.1-405B", "", *cards, fabric=two, tp=16)
    across = next(option for option in found.options if option.tp == 16)
    assert across.decode is None  # no table tells the speed of a network
    assert found.one_user is not None
    assert (found.one_user.tp, found.one_user.pp) == (8, 2)
    assert any("inside a node" in note.text for note in found.notes)


def test_a_linked_pair_is_used_as_a_pair() -> None:
    cards = (named_card("RTX 3090"),) * 4
    bridge = fabric_of(cards[:2], linked=True)
    found = identify(L70, "awq")
    question = Question(shape=found.shape, cards=cards, packing=found.packing, max_model_len=8192)
    plain = advise(Setting(question=question, fabric=fabric_of(cards)))
    paired = advise(Setting(question=question, fabric=fabric_of(cards), pair=bridge))

    def pair(advice: Advice) -> float:
        option = next(o for o in advice.options if (o.tp, o.pp) == (2, 1))
        assert option.decode is not None
        return option.decode.middle

    assert pair(paired) > pair(plain)


def test_measured_all_reduces_change_the_figures() -> None:
    slow = Fabric(name="pcie4", words="PCIe", measured=((16384, 900.0), (1 << 20, 9000.0)), measured_gpus=2)
    found = advice(L8, "", "RTX 4090", "RTX 4090", fabric=slow)
    assert found.measured
    assert found.one_user is not None
    assert found.one_user.name == "one GPU"  # all-reduces of a millisecond eat what two cards bring
    assert "measured here" in " ".join(said.why for said in in_words(found))


def test_experts_and_copied_heads_are_spoken_of_where_they_matter() -> None:
    experts = advice("Qwen/Qwen3-235B-A22B", "fp8", *("H100 80GB SXM",) * 8, tp=8, expert_parallel=True)
    texts = " ".join(note.text for note in experts.notes)
    assert "whole experts" in texts
    assert "copy the heads" in texts  # 4 KV heads on 8 ranks


def test_figures_hold_every_option_and_stay_within_their_bounds() -> None:
    figures = in_figures(advice(L70, "awq", *("RTX 3090",) * 4))
    assert len(figures) >= 5
    for option in figures:
        for times in (option.decode_times, option.prompt_times):
            assert times is None or 0 < times.low <= times.middle <= times.high
    assert in_figures(advice(L8, "", "RTX 4090")) == ()
    assert in_words(advice(L8, "", "RTX 4090")) == ()


def test_cards_of_unknown_speed_still_get_an_answer() -> None:
    found = advice(L8, "", "made-up 24GB", "made-up 24GB")
    assert best(found)[1] is not None
    assert all(option.decode is None for option in found.options)
