"""The frame of the HTML page: style for light and dark, and the few elements that the page is made of."""

from __future__ import annotations

import re

from gpudoctor.render.sanitize import clean_lines, clean_prose, escape_html

STYLE = """\
:root { color-scheme: light dark; --text: #1c1f23; --soft: #596069; --page: #fff; --box: #f4f5f7; --line: #d9dce1;
  --error: #b3261e; --warning: #8a5a00; --info: #1f5fa8; --ok: #1b6e3c; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e6ea; --soft: #a2a9b4; --page: #16181c; --box: #22262c;
  --line: #3a4049; --error: #ff8a80; --warning: #f0b429; --info: #82b8ff; --ok: #6fd694; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 52rem; padding: 2rem 1rem 4rem; background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .2rem 0 .5rem; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: .2rem 0; }
h3 { font-size: .95rem; margin: 1.2rem 0 .2rem; }
p { margin: .4rem 0; }
article, section.outcome { border-left: .3rem solid var(--line); padding: .2rem 0 .6rem 1rem; margin: 2rem 0; }
.error { border-color: var(--error); } .warning { border-color: var(--warning); } .info { border-color: var(--info); }
.ok { border-color: var(--ok); } .unknown { border-color: var(--warning); }
.tag { font-weight: 700; letter-spacing: .04em; font-size: .85rem; }
.error > .tag { color: var(--error); } .warning > .tag, .unknown > .tag { color: var(--warning); }
.info > .tag { color: var(--info); } .ok > .tag { color: var(--ok); }
.soft, th { color: var(--soft); } .soft { font-size: .9rem; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem;
  margin: .5rem 0; white-space: pre-wrap; user-select: all; font: .9rem/1.45 ui-monospace, monospace; }
code { background: var(--box); border-radius: .2rem; padding: 0 .25rem; font: .9em ui-monospace, monospace; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--line);
  font-weight: 400; }
table { table-layout: fixed; } th { width: 30%; }
section { margin: 2.2rem 0; }
.matrix th, .matrix td { padding: .15rem .5rem; font-family: ui-monospace, monospace; width: auto; }
.matrix { width: auto; table-layout: auto; }
.scroll { overflow-x: auto; }
summary { cursor: pointer; font-weight: 600; }
@media print { pre { user-select: auto; } details { display: block; } }
"""
_SPAN = re.compile("(`[^`]{1,200}`)")


def page(title: str, body: list[str]) -> str:
    """A whole document that loads nothing and runs nothing."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def text(raw: str, limit: int = 1000) -> str:
    """A sentence."""
    return escape_html(clean_prose(raw, limit))


def prose(raw: str, limit: int = 2000) -> str:
    """A sentence in which `code` becomes code."""
    parts = _SPAN.split(clean_prose(raw, limit))
    return "".join(
        f"<code>{escape_html(part[1:-1])}</code>" if index % 2 else escape_html(part)
        for index, part in enumerate(parts)
    )


def command(raw: str) -> str:
    """Something to copy: one click selects it all."""
    return "<pre>" + "\n".join(escape_html(line) for line in clean_lines(raw)) + "</pre>"


def table(rows: list[tuple[str, str]], caption: str) -> str:
    """Rows of label and escaped content, with a caption for those who cannot see it."""
    body = "\n".join(f'<tr><th scope="row">{label}</th><td>{content}</td></tr>' for label, content in rows)
    return f'<table aria-label="{text(caption)}">\n{body}\n</table>'
