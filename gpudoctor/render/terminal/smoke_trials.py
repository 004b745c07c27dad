"""The trials of a smoke run: what was tried, what came of it, and what that decides."""

from __future__ import annotations

from gpudoctor.model.smoke import SmokeReport, SmokeSpeed, SmokeTrial
from gpudoctor.render.sanitize import clean_prose
from gpudoctor.render.terminal.canvas import Canvas, Style

INDENT = 2
_NAME, _RESULT = 26, 24
_SETTINGS_SHOWN = 2


def draw_trials(canvas: Canvas, smoke: SmokeReport) -> None:
    """A line for each launch; nothing where there was only one."""
    if len(smoke.trials) > 1:
        canvas.blank()
        canvas.paragraph((f"{len(smoke.trials)} launches to find out why", "strong"), indent=INDENT)
        for trial in smoke.trials:
            style: Style = "ok" if trial.verdict == "pass" else "plain"
            name = f"{clean_prose(trial.name, _NAME):<{_NAME + 1}}"
            canvas.line((name, "plain"), (f"{_result(trial):<{_RESULT}}", style), (_settings(trial), "faint"), indent=4)
    if smoke.decision is not None and smoke.decision.status != "not_tried":
        reason = clean_prose(smoke.decision.reason, 400)
        canvas.blank()
        canvas.paragraph((f"{reason[:1].upper()}{reason[1:]}.", "plain"), indent=INDENT)


def _result(trial: SmokeTrial) -> str:
    return f"{trial.verdict.replace('_', ' '):<14}{trial.seconds:>6.1f} s"


def _settings(trial: SmokeTrial) -> str:
    named = [f"{name}={value}" for name, value in trial.env.items()]
    text = " ".join(named) if len(named) <= _SETTINGS_SHOWN else f"{len(named)} settings"
    timed = trial.verdict == "pass" and trial.busbw_gbs is not None
    speed = f"{trial.busbw_gbs:.3g} GB/s" if timed else ""
    return clean_prose(", ".join(part for part in (text, speed) if part), 80)


def speed_words(speed: SmokeSpeed) -> str:
    """What the bandwidth was compared with."""
    of = "its siblings" if speed.basis == "siblings" else f"the table of links ({speed.date})"
    link = f" over {clean_prose(speed.link, 10)}" if speed.link else ""
    share = speed.measured_gbs / speed.expected_gbs if speed.expected_gbs else 0.0
    return (
        f"{clean_prose(speed.what, 100)}{link}: {speed.measured_gbs:.3g} GB/s, {share * 100:.0f} % of the "
        f"{speed.expected_gbs:.3g} GB/s of {of}"
    )
