"""The pages of rules and causes."""

from __future__ import annotations

import io
import json

from gpudoctor.model.rule_doc import CauseDoc, FixDoc, Reference, RuleDoc
from gpudoctor.render import RenderOptions
from gpudoctor.render.doc_prose import blocks, places
from gpudoctor.render.explain import render_json, render_text
from tests.render.drawing import unprintable

DOC = """\
Peer copies go **through** the `IOMMU`, see [the guide](https://docs.example.org/p2p).
Still the same paragraph.

# How it looks

- a first point that is long enough to be wrapped when the page is only sixty columns wide
  and goes on
- a second
  1. nested

Run:

    cat /proc/cmdline

    dmesg | grep -i iommu

```sh
nvidia-smi topo -m
```
The end.
"""
RULE = RuleDoc(
    id="iommu-translates",
    title="GPU {pair.a} and GPU {pair.b|list} are behind a translating IOMMU",
    cause="iommu_acs",
    cause_meaning="a translating IOMMU breaks peer copies",
    area="topology",
    severity="warning",
    order=6,
    since="0.1.0",
    status="preview",
    doc=DOC,
    looks_at=("pci.iommu_active", "topology.pairs"),
    condition="pci.iommu_active and len(topology.pairs) > 0",
    fixes=(FixDoc("Pass through", "iommu=pt", caveat="needs care", undo="take it out", needs="reboot"),),
    verify="gpudoctor nccl-test --tp {group.size}",
    references=(Reference("Kernel parameters", "https://docs.example.org/iommu", "2026-11-01"),),
)


def text(page: RuleDoc | CauseDoc, width: int = 80) -> str:
    out = io.StringIO()
    render_text(page, out, RenderOptions(width=width))
    return out.getvalue()


def test_prose_is_cut_into_its_blocks() -> None:
    kinds = [(block.kind, block.lines[0]) for block in blocks(DOC)]
    assert [kind for kind, _ in kinds] == ["text", "heading", "item", "item", "item", "text", "code", "code", "text"]
    assert blocks(DOC)[6].lines == ["cat /proc/cmdline", "", "dmesg | grep -i iommu", ""]
    assert blocks(DOC)[2].lines[1] == "and goes on"


def test_prose_survives_an_open_fence_and_an_empty_text() -> None:
    assert [block.kind for block in blocks("a\n```\nb")] == ["text", "code"]
    assert blocks("") == []
    assert blocks("```\n```\n") == []


def test_a_page_shows_everything_with_the_filters_of_places_left_out() -> None:
    page = text(RULE)
    for part in (
        "GPU {pair.a} and GPU {pair.b} are behind",
        "iommu-translates · topology · since 0.1.0 · preview",
        "iommu_acs: a translating IOMMU breaks peer copies",
        "Peer copies go through the `IOMMU`, see the guide",
        "(https://docs.example.org/p2p).",
        "\n    nvidia-smi topo -m\n",
        "pci.iommu_active, topology.pairs",
        "1. Pass through (needs a reboot)",
        "Undo: take it out",
        "To prove it: gpudoctor nccl-test --tp {group.size}",
        "Kernel parameters (read 2026-11-01)",
    ):
        assert part in page, part


def test_a_page_keeps_to_its_width_and_lists_hang() -> None:
    page = text(RULE, 60)
    assert all(len(line) <= 60 for line in page.splitlines())
    assert "\n• a first point that is long enough to be wrapped when the\n  page is only" in page


def test_a_cause_says_what_its_first_rule_knows_and_lists_all() -> None:
    other = RuleDoc(
        id="a", title="{count(x)|n_pairs} of {y}", cause="c", area="x", severity="error", order=7, doc="", looks_at=()
    )
    page = text(CauseDoc(code="iommu_acs", meaning="m", rules=(RULE, other)))
    assert page.index("Peer copies go through the `IOMMU`") < page.index("https://docs.example.org/iommu")
    assert page.index("iommu-translates (warning)") < page.index("a (error)")
    assert "GPU … and GPU … are behind" in page
    assert "… pairs of …" in page
    assert "no rule finds it yet" in text(CauseDoc(code="c", meaning="m"))


def test_json_holds_the_page_as_it_was_written() -> None:
    out = io.StringIO()
    render_json(RULE, out)
    page = json.loads(out.getvalue())
    assert page["title"] == RULE.title
    assert page["references"] == [
        {"title": "Kernel parameters", "url": "https://docs.example.org/iommu", "date": "2026-11-01"}
    ]
    assert list(page)[:3] == ["id", "title", "cause"]


def test_a_rule_from_a_stranger_cannot_write_to_the_terminal() -> None:
    evil = RuleDoc(
        id="e\x1b[2J",
        title="\x9bt",
        cause="c",
        area="x",
        severity="error",
        order=7,
        doc="\x1b]0;t\x07d\n    \x1b[1mc",
        looks_at=(),
    )
    assert unprintable(text(evil)) == set()


def test_places() -> None:
    assert places("{a.b|sh} {c} {d.e|x|y}") == "{a.b} {c} {d.e|x|y}"
