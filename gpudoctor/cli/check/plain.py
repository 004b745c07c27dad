"""`gpudoctor check` with nothing but plain options, read without typer: loading that takes a third of a short check.

Only what means the same to typer beyond doubt is read here; any other word is left to it, with all its messages.
"""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.cli.check.work import Wanted

_SWITCHES = frozenset({"--quick", "--quiet", "-q", "--verbose", "-v"})
_TEXTS = frozenset({"--format", "--fail-on", "--color", "--python"})
_DEFAULT = Wanted()


def read(arguments: Sequence[str]) -> Wanted | None:
    """What the command line wants, None where typer has to say."""
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if not ours or ours[0] != "check":
        return None
    given: set[str] = set()
    texts: dict[str, str] = {}
    words = iter(ours[1:])
    for word in words:
        if word in _SWITCHES:
            given.add(word)
            continue
        value = next(words, "")
        if word not in _TEXTS or not value or value.startswith("-"):
            return None
        texts[word] = value
    return Wanted(
        launch=tuple(arguments[len(ours) + 1 :]),
        python=texts.get("--python"),
        quick="--quick" in given,
        format_name=texts.get("--format", _DEFAULT.format_name),
        fail_on=texts.get("--fail-on", _DEFAULT.fail_on),
        color=texts.get("--color", _DEFAULT.color),
        quiet=not given.isdisjoint({"--quiet", "-q"}),
        verbose=not given.isdisjoint({"--verbose", "-v"}),
    )
