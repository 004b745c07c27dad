"""Makes foreign text harmless: GPU names, process names, paths, environment values, log lines.

Every renderer passes all text through here, its own sentences too: a title is a template that holds foreign values.
"""

from __future__ import annotations

from gpudoctor.lazy_pattern import lazy_pattern

# Colour and title sequences are removed whole, so that "\x1b[31mError\x1b[0m" reads "Error" and not "[31mError[0m".
# Each part is bounded and starts with a literal, so a long hostile line costs linear time.
_ESCAPES = lazy_pattern(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"  # CSI: colours, cursor movement
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"  # OSC, DCS: titles, links
    r"|\x1b[ -/]{0,8}[0-~]"  # two-character sequences: character sets, reset
)
_LINE_ENDS = lazy_pattern(r"\r\n|\n|\r")
_LAYOUT = dict.fromkeys(map(ord, "\r\n\t"))  # to take away
LINE_LIMIT = 500
TEXT_LIMIT = 4000


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """One line of printable text, at most `limit` characters.

    Removed: terminal sequences, C0 and C1 controls, bidirectional overrides and other invisible characters, lone
    surrogates, private and unassigned code points. Line breaks and tabs become a space.
    """
    if len(text) > limit * 4:
        text = text[: limit * 4]
    if not text.isprintable():
        text = _printable(_ESCAPES.sub("", text))
    return _bounded(text, limit)


def clean_prose(text: str, limit: int = TEXT_LIMIT) -> str:
    """As `clean`, with runs of spaces folded: for sentences, where layout carries no meaning."""
    return " ".join(part for part in clean(text, limit).split(" ") if part)


def clean_lines(text: str, limit: int = TEXT_LIMIT) -> list[str]:
    """As `clean`, line by line: for commands and code, where line breaks carry meaning."""
    text = text[: limit * 4].strip("\r\n")
    lines = _LINE_ENDS.split(text) if "\r" in text else text.split("\n")
    return [clean(line, limit) for line in lines]


def altered(text: str) -> bool:
    """Whether `clean_lines` would take more away than line breaks: such a command is not what its author wrote."""
    return len(text) > TEXT_LIMIT or not text.translate(_LAYOUT).isprintable()


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


# Ellipsis, en and em dash, multiplication sign, middle dot, arrow, comparisons, curly quotes.
_ASCII = str.maketrans(
    {
        "\u2026": "...",
        "\u2013": "-",
        "\u2014": "-",
        "\u00d7": "x",
        "\u00b7": "|",
        "\u2192": "->",
        "\u2264": "<=",
        "\u2265": ">=",
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
    }
)


def to_ascii(text: str) -> str:
    """For a stream that cannot show more than ASCII: our own punctuation spelled out, the rest as escapes."""
    if text.isascii():
        return text
    return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")


def escape_html(text: str) -> str:
    """For HTML and XML, text and quoted attributes; clean first: XML has no way to write control characters."""
    return (
        text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace('"', "&quot;")
        .replace("'", "&#x27;")
    )
