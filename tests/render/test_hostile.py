"""Whatever foreign text says, no format lets it act: no control character, no markup, no command, no broken syntax."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, Topology
from gpudoctor.model.finding import Evidence, Fix, NotEvaluated
from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Report
from gpudoctor.render import RenderOptions, formats
from tests.render import machines
from tests.render.drawing import SGR, draw, unprintable
from tests.render.samples import SAMPLES, finding, report

OUR_TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "article", "footer", "div"),
    *("h1", "h2", "h3", "p", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details"),
    *("summary", "span", "strong", "sub", "blockquote"),
}
OUR_ATTRIBUTES = {"lang", "charset", "name", "content", "http-equiv", "class", "scope", "aria-label", "open"}
ACTIVE = (
    "\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "\x00", "\r", "\n", "\t", "\u202e", "\u2066", "\u200b", "\u2028", "\ud800",
    "<script>x</script>", "<img src=x onerror=y>", "</details>", "</pre>", "</style>", "<!--", "-->", "]]>", "&lt;",
    "&", "`", "```", "````", "@someone", "#12", "GH-12", "[a](http://evil.example)", "![a](b)", "<http://evil.example>",
    "http://evil.example", "www.evil.example", "|", "\\", "*", "_", "~~", "$x$", "# h", "- l", "> q", "    code", "---",
    "::error::x", "##[error]x", "%0A", "%", ",", ":", '"', "'", "{", "}", "=", " ", "模", "🚀", "e\u0301",
)  # fmt: skip
foreign = st.lists(st.sampled_from(ACTIVE) | st.text(max_size=4), min_size=1, max_size=8).map("".join)


def with_foreign(texts: list[str]) -> Report:
    """A report that holds the texts wherever foreign text can be."""
    a, b, c = texts
    first = finding(
        1,
        "rule",
        "error",
        f"t {a}",
        why=f"w {b}",
        subject=f"{c}",
        evidence=(
            Evidence(fact="f", value=f"v {a}", source=b, label=c),
            Evidence(file=a, line=3, text=b),
            Evidence(fact="f", value=[a, c]),
        ),
        fixes=(Fix(f"x {a}", f"run {b}", caveat=c, undo=a), Fix(f"y {b}", env={"A": c})),
        verify=f"v {c}",
    )
    base = machines.two_cards()
    cards = (machines.gpu(0, a, 24, 20), machines.gpu(1, b, 24, 20))
    pairs = Topology(pairs=known((machines.pair(0, 1, c, a),), b))
    facts = Facts(gpus=machines.gpus_section(cards, (0, 1)), topology=pairs, machine=base.machine)
    return report(
        "error",
        facts,
        (first, finding(2, "echo", "warning", f"e {b}", echo_of="rule"), finding(3, "note", "info", f"n {c}")),
        not_evaluated=(NotEvaluated(f"r {a}", (f"p {b}: {c}",)),),
        probes=(ProbeResult(f"p {c}", "timeout", 1.0, f"r {a}"),),
        notes=(f"note {b}",),
    )


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self._code = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._code += tag in ("code", "pre", "style")

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in ("code", "pre", "style")

    def handle_data(self, data: str) -> None:
        if not self._code:
            self.texts.append(data)


def check_xml(text: str) -> None:
    root = ElementTree.fromstring(text)  # noqa: S314 - our own output is under test
    assert {case.get("classname", "").split(".")[0] for case in root.iter("testcase")} == {"gpudoctor"}
    assert {element.tag for element in root.iter()} <= {
        *("testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out")
    }


def check_html(text: str) -> None:
    seen = Tags(text)
    assert seen.tags <= OUR_TAGS
    assert seen.attributes <= OUR_ATTRIBUTES


def check_markdown(text: str) -> None:
    seen = Tags(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
    assert seen.tags <= OUR_TAGS
    assert seen.attributes <= OUR_ATTRIBUTES
    for node in seen.texts:
        # What GitHub turns into mentions, references and links after Markdown.
        assert not re.search(r"@\w|#\d|GH-\d|\w://|www\.", node), node


def check_github(text: str) -> None:
    *commands, last = text.splitlines()
    assert last.startswith("gpudoctor: ")
    for line in commands:
        assert re.match(r"::(error|warning|notice) title=[^:]*(,file=[^:,]*)?(,line=\d+)?::", line)
        assert not re.search(r"%(?!0A|25|2C|3A)", line)


def check_prometheus(text: str) -> None:
    label = r'[a-z]+="(?:[^"\\\n]|\\\\|\\")*"'
    for line in text.splitlines():
        assert re.fullmatch(rf"# (HELP|TYPE) .*|gpudoctor_[a-z_]+(\{{{label}(,{label})*\}})? -?[\d.]+", line), line


def check_sarif(text: str) -> None:
    results = json.loads(text)["runs"][0]["results"]
    assert len(results) == len(json.loads(text)["runs"][0]["tool"]["driver"]["rules"])


CHECKS = {
    "junit": check_xml,
    "html": check_html,
    "markdown": check_markdown,
    "github": check_github,
    "prometheus": check_prometheus,
    "sarif": check_sarif,
}


@pytest.mark.parametrize("format_name", formats())
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(foreign, min_size=3, max_size=3))
def test_foreign_text_stays_text(format_name: str, texts: list[str]) -> None:
    text = draw(with_foreign(texts), format_name)
    assert unprintable(text) == set()
    text.encode("utf-8")
    CHECKS.get(format_name, lambda _: None)(text)
    if format_name in ("json", "sarif"):
        json.loads(text)


@pytest.mark.parametrize("format_name", formats())
def test_the_hostile_sample_is_harmless(format_name: str) -> None:
    text = draw(SAMPLES["hostile"](), format_name)
    assert unprintable(text) == set()
    CHECKS.get(format_name, lambda _: None)(text)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(foreign, min_size=3, max_size=3))
def test_coloured_text_holds_no_codes_but_colours(texts: list[str]) -> None:
    text = draw(with_foreign(texts), "text", RenderOptions(color=True, verbose=True))
    assert unprintable(SGR.sub("", text)) == set()
    assert not re.search(r"\x1b\[[0-9;]*[^0-9;m]", text)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(foreign, min_size=3, max_size=3))
def test_an_ascii_stream_gets_ascii(texts: list[str]) -> None:
    for format_name in ("text", "json"):
        assert draw(with_foreign(texts), format_name, RenderOptions(unicode=False)).isascii()


def test_json_keeps_what_was_said_to_the_letter() -> None:
    said = "\x1b[31m \u202e \x85 模 🚀"
    shown = draw(with_foreign([said, "b", "c"]), "json")
    assert json.loads(shown)["findings"][0]["title"] == f"t {said}"
