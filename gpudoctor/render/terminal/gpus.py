"""The GPUs: how each pair is linked, whether the driver lets it copy peer to peer, and how much memory is free."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.model.facts import Facts, Gpu, GpuPair
from gpudoctor.render import words
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas, Span, Style
from gpudoctor.render.terminal.measure import columns, pad

INDENT = 2
BAR = 10
SHORTEST_BAR = 5
REFUSED = "!"
UNSURE = "?"
MEANING = {
    "NV": "this many NVLinks",
    "PIX": "one PCIe switch",
    "PXB": "several PCIe switches",
    "PHB": "through the host bridge of a CPU",
    "NODE": "between host bridges of one NUMA node",
    "SYS": "between CPU sockets",
}
_STYLES: dict[str, Style] = {"NV": "ok", "PIX": "near", "PXB": "near", "PHB": "middle", "NODE": "far", "SYS": "far"}


class Links(Struct, frozen=True):
    """Link and peer-to-peer state by pair; `p2p` is True, False or None where unknown."""

    link: dict[tuple[int, int], str]
    p2p: dict[tuple[int, int], bool | None]

    def uniform(self, gpus: Sequence[Gpu]) -> bool:
        """Whether one sentence says it all: every pair is there, and all are alike."""
        pairs = [(a.index, b.index) for n, a in enumerate(gpus) for b in gpus[n + 1 :]]
        return all(pair in self.link for pair in pairs) and len({(self.link[p], self.p2p[p]) for p in pairs}) <= 1

    def cell(self, a: int, b: int) -> str:
        """What stands in the matrix: the link, and a mark where pairs differ in what the driver allows."""
        if a == b:
            return "-"
        link, state = self.link.get((a, b), UNSURE), self.p2p.get((a, b))
        if len(set(self.p2p.values())) <= 1:
            return link
        return link + (REFUSED if state is False else UNSURE if state is None and link != UNSURE else "")

    def permission(self) -> str:
        """What the driver allows, and what the marks of `cell` mean."""
        states = set(self.p2p.values())
        if states == {True}:
            return "The driver grants peer-to-peer copies for every pair."
        if states == {False}:
            return "The driver refuses peer-to-peer copies for every pair."
        if states == {None}:
            return "Whether the driver grants peer-to-peer copies is unknown."
        if False not in states:
            return f"The driver grants peer-to-peer copies; {UNSURE} unknown."
        return f"{REFUSED} the driver refuses peer-to-peer copies" + (f", {UNSURE} unknown" if None in states else "")


def draw(canvas: Canvas, facts: Facts, *, verbose: bool) -> None:
    """The section; nothing where no GPU is known, or nothing of any."""
    gpus = facts.gpus.devices.or_none() or ()
    if not gpus or not _tells(gpus, facts):
        return
    canvas.blank()
    canvas.rule("GPUS", "faint")
    links = links_of(facts.topology.pairs.or_none() or ())
    group = {gpu.index for gpu in facts.group.gpus.or_none() or ()}
    group = group if 0 < len(group) < len(gpus) else set()
    matrix = len(gpus) > 1 and bool(links.link) and (verbose or not links.uniform(gpus))
    if len(gpus) > 1 and links.link and not matrix:
        _one_sentence(canvas, links, len(gpus))
    _table(canvas, gpus, links if matrix else None, group)
    if matrix:
        _legend(canvas, links)
    _group_legend(canvas, facts, group)


def _tells(gpus: Sequence[Gpu], facts: Facts) -> bool:
    """Whether there is more to say than the models, which stand above already: of a paste there often is not."""
    pairs = facts.topology.pairs.or_none() or ()
    linked = any(pair.link.known or allowed(pair) is not None for pair in pairs)
    return linked or any(gpu.memory_free_bytes.known for gpu in gpus)


def links_of(pairs: Sequence[GpuPair]) -> Links:
    """Both directions of every pair."""
    link: dict[tuple[int, int], str] = {}
    p2p: dict[tuple[int, int], bool | None] = {}
    for pair in pairs[:4096]:
        for key in ((pair.a, pair.b), (pair.b, pair.a)):
            link[key] = clean_prose(pair.link.or_none() or UNSURE, 5)
            p2p[key] = allowed(pair)
    return Links(link, p2p)


def allowed(pair: GpuPair) -> bool | None:
    """Whether the driver grants copies both to read and to write; None where it did not say."""
    states = [state for state in (pair.p2p_read.or_none(), pair.p2p_write.or_none()) if state]
    if states:
        return all(state == "OK" for state in states)
    return pair.peer_access.or_none()


def kind(link: str) -> str:
    """The class of a link: NV for NV1 to NV18, else itself."""
    return "NV" if link.startswith("NV") and link[2:].isdigit() else link


def _one_sentence(canvas: Canvas, links: Links, count: int) -> None:
    link, p2p = next(iter(links.link.values())), next(iter(links.p2p.values()))
    say = {True: "the driver grants", False: "the driver refuses", None: "it is unknown whether the driver grants"}[p2p]
    who = "Linked by" if count == 2 else f"All {count * (count - 1) // 2} pairs are linked by"
    meaning = "NVLink" if kind(link) == "NV" else MEANING.get(kind(link), "unknown")
    style = _STYLES.get(kind(link), "plain")
    tail = f" ({meaning}); {say} peer-to-peer copies"
    canvas.paragraph((f"{who} ", "plain"), (link, style), (tail, "plain"), indent=INDENT)


def _table(canvas: Canvas, gpus: Sequence[Gpu], links: Links | None, group: set[int]) -> None:
    """Rows are GPUs; where the columns of the matrix do not fit beside each other, they follow in blocks."""
    names = {gpu.index: words.short_name(gpu.name.or_none()) for gpu in gpus}
    mixed = len({names[gpu.index] for gpu in gpus if gpu.name.known}) > 1
    gap: Span = (" " if links else "", "plain")
    room = canvas.width - INDENT - 5 - len(gap[0])
    cell = 1 + max((columns(links.cell(a.index, b.index)) for a in gpus for b in gpus), default=0) if links else 0
    blocks = _blocks([gpu.index for gpu in gpus], room // cell) if links else [[]]
    for number, block in enumerate(blocks):
        rest = room - cell * len(block)
        header = "GPU  " + "".join(pad(f"{index}{_mark(index, group)}", cell) for index in block)
        canvas.line((header, "faint"), gap, ("free memory" if number == 0 else "", "faint"), indent=INDENT)
        for gpu in gpus:
            cells = [_cell(links, gpu.index, other, cell) for other in block] if links else []
            tail = _memory(gpu, rest, names[gpu.index] if mixed else "") if number == 0 else []
            canvas.line((pad(f"{gpu.index}{_mark(gpu.index, group)}", 5), "strong"), *cells, gap, *tail, indent=INDENT)


def _blocks(indices: list[int], most: int) -> list[list[int]]:
    count = -(-len(indices) // max(most, 1))
    per_block = -(-len(indices) // count)
    return [indices[start : start + per_block] for start in range(0, len(indices), per_block)]


def _mark(index: int, group: set[int]) -> str:
    return "*" if index in group else ""


def _cell(links: Links, a: int, b: int, width: int) -> Span:
    style = "faint" if a == b else _STYLES.get(kind(links.link.get((a, b), "")), "plain")
    return pad(links.cell(a, b), width), style


def _memory(gpu: Gpu, room: int, name: str) -> list[Span]:
    """As much as fits: bar, free of total, and the model where models differ."""
    error = gpu.access_error.or_none()
    total, free = gpu.memory_total_bytes.or_none(), gpu.memory_free_bytes.or_none()
    if error:
        return [(clean_prose(error, 40), "broken")]
    if not total or free is None:
        return [(name or "unknown", "faint")]
    full, short = f"{free / words.GIB:.1f} of {words.size(total)}", f"{free / words.GIB:.0f}/{total / words.GIB:.0f}"
    long = min(BAR, room - columns(full) - 2)
    filled = round(long * min(max(free / total, 0), 1))
    spans: list[Span] = []
    if long >= SHORTEST_BAR:
        spans = [("━" * filled, "near"), ("─" * (long - filled) + "  ", "faint"), (full, "plain")]
    elif room >= columns(short):
        spans = [(full if room >= columns(full) else short, "plain")]
    left = room - sum(columns(text) for text, _ in spans) - 2
    return [*spans, (f"  {name}", "faint")] if name and left >= columns(name) else spans


def _legend(canvas: Canvas, links: Links) -> None:
    canvas.blank()
    present = {kind(link) for link in links.link.values()}
    spans: list[Span] = []
    for key, meaning in MEANING.items():
        if key in present:
            spans += [("NV#" if key == "NV" else key, _STYLES[key]), (f" {meaning} · ", "faint")]
    spans[-1:] = [(spans[-1][0].rstrip(" ·"), "faint")] if spans else []
    canvas.paragraph(*spans, indent=INDENT)
    canvas.paragraph((links.permission(), "faint"), indent=INDENT)


def _group_legend(canvas: Canvas, facts: Facts, group: set[int]) -> None:
    if group:
        size = len(group)
        canvas.paragraph((f"* the {words.plural(size, 'GPU')} that this run would use", "faint"), indent=INDENT)
    better = facts.group.better_gpus.or_none()
    if better:
        link = facts.group.better_worst_link.or_none()
        closer = f"Closer to each other: GPU {', '.join(map(str, better))}" + (f" ({link})" if link else "")
        canvas.paragraph((closer, "plain"), indent=INDENT)
