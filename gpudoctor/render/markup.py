"""Foreign text inside Markdown as GitHub and GitLab render it: nothing becomes a link, a mention, an image or HTML."""

from __future__ import annotations

import re

from gpudoctor.render.sanitize import clean, clean_lines, clean_prose, escape_html

# What starts inline markup: code, emphasis (not within a word), links, strike-through, mathematics, table cells.
_SPECIAL = re.compile(r"[\\`*\[\]~$|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# Mentions, issue references and bare addresses are recognised in the rendered text, where no backslash helps: an
# empty comment splits the text there and is invisible.
_TRIGGERS = re.compile(r"(@|#(?=\d)|GH(?=-\d)|(?<=[A-Za-z]):(?=//)|www(?=\.)|(?:xmpp|mailto)(?=:))", re.IGNORECASE)
_SPLIT = "<!-- -->"
_SPAN = re.compile("(`[^`|]{1,200}`)")


def inline(text: str, limit: int = 1000) -> str:
    """A sentence after some text of ours, or in a table cell; `code` in it stays code."""
    parts = _SPAN.split(clean_prose(text, limit))
    return "".join(code(part[1:-1]) if index % 2 else _plain(part) for index, part in enumerate(parts))


def in_html(text: str, limit: int = 1000) -> str:
    """A sentence within an HTML element, such as a summary: Markdown is not read there, mentions are."""
    return _TRIGGERS.sub(lambda match: match[0] + _SPLIT, escape_html(clean_prose(text, limit)))


def fenced(text: str, language: str = "") -> str:
    """A code block that the text cannot close; the fence is longer than any run of backticks in it."""
    body = "\n".join(clean_lines(text, 20_000))
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def code(text: str, limit: int = 200) -> str:
    """A code span that the text cannot close. Not for text with a bar in a table, which would still end the cell."""
    body = clean(text, limit).strip() or " "
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if body.startswith("`") or body.endswith("`") else ""
    return f"{ticks}{space}{body}{space}{ticks}"


def _plain(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    parts = _TRIGGERS.split(escaped)
    return "".join(_backslashed(part) + (_SPLIT if index % 2 else "") for index, part in enumerate(parts))


def _backslashed(text: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0], text)
