"""Markdown for an issue and the page for a browser."""

from __future__ import annotations

from gpudoctor.render.markup import code, fenced, in_html, inline
from tests.render.drawing import draw
from tests.render.samples import SAMPLES


def test_markdown_folds_each_finding_and_opens_the_first() -> None:
    text = draw(SAMPLES["tp_error"](), "markdown")
    assert text.count("<details>") == 2
    assert text.count("<details open>") == 1
    assert "\n```sh\nvllm serve meta-llama" in text
    assert "\nworkload.tp = 4   # launch command\n" in text


def test_markdown_keeps_code_and_variable_names_readable() -> None:
    assert inline("set `NCCL_P2P_DISABLE` and NCCL_DEBUG in ~/x") == "set `NCCL_P2P_DISABLE` and NCCL_DEBUG in \\~/x"


def test_markdown_escapes_what_starts_markup() -> None:
    assert inline("*a* _b_ [c](d) <e> | f") == "\\*a\\* \\_b\\_ \\[c\\](d) &lt;e&gt; \\| f"
    assert inline("@me #12 http://x") == "@<!-- -->me #<!-- -->12 http:<!-- -->//x"
    assert in_html("<b> @me") == "&lt;b&gt; @<!-- -->me"


def test_markdown_fences_and_spans_are_longer_than_any_run_inside() -> None:
    assert fenced("a ```` b", "sh") == "`````sh\na ```` b\n`````"
    assert code("a `b`") == "`` a `b` ``"


def test_the_page_is_self_contained() -> None:
    text = draw(SAMPLES["eight_gpus"](), "html")
    assert text.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in text
    assert not any(word in text for word in ("<script", "src=", "href=", "@import", "url("))


def test_the_page_has_one_main_heading_and_labelled_tables() -> None:
    for name in ("tp_error", "eight_gpus", "healthy", "no_gpu", "unusable_input"):
        text = draw(SAMPLES[name](), "html")
        assert text.count("<h1>") == 1, name
        assert text.count("<table") == text.count("aria-label=") + text.count('class="matrix"')


def test_the_page_shows_findings_matrix_and_what_would_help() -> None:
    text = draw(SAMPLES["eight_gpus"](), "html")
    assert '<article class="error">\n<p class="tag">ERROR</p>\n<h1>/dev/shm is 64 MiB' in text
    assert '<tr><th scope="row">0</th><td>-</td><td>NV12</td>' in text
    assert "sudo -E &quot;$(command -v gpudoctor)&quot; check" in text
