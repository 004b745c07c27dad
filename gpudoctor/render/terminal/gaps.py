"""What this report does not know: probes that did not finish, rules that could not be decided, and what would help."""

from __future__ import annotations

from collections.abc import Sequence

from gpudoctor.model.probe_result import ProbeResult
from gpudoctor.model.report import Report
from gpudoctor.render import words
from gpudoctor.render.arrange import Missing, missing
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas

INDENT = 2
SHOWN = 4
AS_ROOT = 'sudo -E "$(command -v gpudoctor)" check'
LONGER = "gpudoctor check --timeout 120"
# Sections that only the user can provide; the others come from the machine.
FROM_USER = frozenset({"workload", "model"})


def draw(canvas: Canvas, report: Report, *, verbose: bool) -> None:
    """Both sections; nothing where nothing is missing."""
    _probes(canvas, report.probes, verbose=verbose)
    groups = missing(report.not_evaluated)
    if not groups:
        return
    canvas.blank()
    canvas.rule("NOT EVALUATED", "faint")
    count = len({entry.rule for entry in report.not_evaluated})
    if report.facts.log.lines.known and not report.probes and not verbose:
        # Of a paste that is as it should be: nobody has all of it at hand.
        said = f"{words.plural(count, 'more rule')} would look at what these files do not tell: -v lists it."
        canvas.paragraph((said, "plain"), indent=INDENT)
        _what_would_help(canvas, report)
        return
    canvas.paragraph((f"{words.plural(count, 'rule')} could not be decided, for want of:", "plain"), indent=INDENT)
    shown = groups if verbose else groups[:SHOWN]
    for group in shown:
        _group(canvas, group, verbose=verbose)
    if len(groups) > len(shown):
        canvas.paragraph((f"and {words.plural(len(groups) - len(shown), 'other reason')}: -v", "faint"), indent=INDENT)
    _what_would_help(canvas, report)


def helps(report: Report) -> list[tuple[str, str]]:
    """Sentence and command for what would let more rules be decided; shared with the other formats for people."""
    groups = missing(report.not_evaluated)
    reasons = {group.reason for group in groups}
    out = []
    if "no_permission" in reasons:
        out.append(("As root more can be read:", AS_ROOT))
    if "timeout" in reasons:
        out.append(("With more time:", LONGER))
    asked = {path.split(".")[0] for group in groups if group.reason == "not_provided" for path in group.paths}
    if asked & FROM_USER and not report.facts.workload.command.known:
        out.append(("With the launch command, which is read and not run:", "gpudoctor check -- YOUR LAUNCH COMMAND"))
    if asked & {probe.name for probe in report.probes if probe.status == "skipped"}:
        out.append(("Without --quick:", "gpudoctor check"))
    elif asked - FROM_USER and not report.probes:
        out.append(("On the machine itself:", "gpudoctor check"))
    return out


def _probes(canvas: Canvas, probes: Sequence[ProbeResult], *, verbose: bool) -> None:
    wanted = ("failed", "timeout", "skipped") if verbose else ("failed", "timeout")
    troubled = [probe for probe in probes if probe.status in wanted]
    if not troubled:
        return
    canvas.blank()
    canvas.rule("PROBES", "faint")
    for probe in troubled:
        how = {"failed": "failed", "timeout": f"no answer in {probe.seconds:.1f} s", "skipped": "skipped"}[probe.status]
        reason = clean_prose(probe.reason, 300)
        canvas.paragraph(
            (probe.name, "strong"),
            (f" {how}" + (f": {reason}" if reason else ""), "plain"),
            indent=INDENT,
            hang=INDENT + 2,
        )


def _group(canvas: Canvas, group: Missing, *, verbose: bool) -> None:
    """`no permission   kernel_log.xids, kernel_log.oom_kills (6 rules): dmesg may not read the kernel log`."""
    shown = group.paths if verbose else group.paths[:SHOWN]
    rest = len(group.paths) - len(shown)
    text = ", ".join(shown) + (f" and {rest} more" if rest else "")
    why = f": {clean_prose(group.detail, 300)}" if group.detail else ""
    canvas.paragraph(
        (text, "plain"),
        (f" ({len(group.rules)} rules){why}" if len(group.rules) > 1 else why, "faint"),
        indent=INDENT,
        hang=INDENT + 16,
        lead=(group.reason.replace("_", " "), "faint"),
    )
    if verbose:
        canvas.paragraph((f"rules: {', '.join(group.rules)}", "faint"), indent=INDENT + 16)


def _what_would_help(canvas: Canvas, report: Report) -> None:
    for sentence, command in helps(report):
        canvas.blank()
        canvas.paragraph((sentence, "plain"), indent=INDENT)
        canvas.command(command)


def counts(report: Report) -> str:
    """One line about coverage: rules and probes."""
    unsure = len({entry.rule for entry in report.not_evaluated})
    answered = [probe for probe in report.probes if probe.status == "ok"]
    tried = [probe for probe in report.probes if probe.status != "skipped"]
    parts = [f"{words.plural(report.summary.rules_evaluated, 'rule')} evaluated"]
    if unsure:
        parts.append(f"{unsure} could not be")
    if tried:
        parts.append(f"{len(answered)} of {words.plural(len(tried), 'probe')} answered")
    return ", ".join(parts)
