"""The text format puts the cause first and one fix to copy right after it."""

from __future__ import annotations

import pytest

from gpudoctor.render import RenderOptions, words
from gpudoctor.render.sanitize import clean_lines, clean_prose
from gpudoctor.render.terminal.measure import columns
from tests.render import machines
from tests.render.drawing import SGR, draw
from tests.render.samples import SAMPLES, finding, report

RUN = "vllm serve meta-llama/Llama-3.1-70B-Instruct --quantization awq --max-model-len 8192 --tensor-parallel-size 2"


def test_the_order_is_cause_fix_why_evidence_proof_echoes_other_findings_machine_summary() -> None:
    text = draw(SAMPLES["tp_error"]())
    parts = (
        *("━━ ERROR", "TP size 4 needs", "Fix:", RUN, "Why\n", "Evidence\n", "To prove it", "Other ways"),
        *("Follows from this", "━━ WARNING", "── NOTES", "── MACHINE", "── GPUS", "── SUMMARY"),
    )
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("color", [False, True])
def test_every_command_is_a_line_of_its_own_at_any_width(width: int, color: bool) -> None:
    text = draw(SAMPLES["tp_error"](), options=RenderOptions(width=width, color=color))
    assert {RUN, "gpudoctor nccl-test --tp 2 --devices 0,1"} <= set(SGR.sub("", text).splitlines())


def test_without_colour_there_is_no_escape_and_with_it_the_same_words() -> None:
    for sample in SAMPLES.values():
        plain = draw(sample())
        assert "\x1b" not in plain
        assert SGR.sub("", draw(sample(), options=RenderOptions(color=True))) == plain


def test_a_healthy_machine_is_said_to_be_one_and_what_was_checked() -> None:
    text = draw(SAMPLES["healthy"]())
    assert "━━ OK" in text
    assert "Nothing wrong found\n84 rules evaluated, 11 of 11 probes answered" in text
    assert "Checked: nvml, cuda, pci" in text
    assert "\ngpudoctor nccl-test --tp 8\n" in text


def test_notes_alone_leave_a_machine_healthy() -> None:
    text = draw(report("ok", machines.two_cards(), (finding(1, "n", "info", "just so you know"),)))
    assert "Nothing wrong found" in text
    assert "  • just so you know\n" in text
    assert "1 note; 84 rules" in text


def test_an_echo_is_one_line_below_its_root() -> None:
    text = draw(SAMPLES["tp_error"]())
    assert "  └ Ranks 0 and 1 gave up waiting for ranks 2 and 3 after 600 s (rendezvous)\n" in text
    assert text.count("Ranks 0 and 1 gave up") == 1


def test_what_could_not_be_seen_comes_with_the_command_that_would_show_it() -> None:
    text = draw(SAMPLES["eight_gpus"]())
    assert "no permission   pci.paths: config space beyond 64 bytes" in text
    assert '\nsudo -E "$(command -v gpudoctor)" check\n' in text
    assert "\ngpudoctor check -- YOUR LAUNCH COMMAND\n" in text
    assert "\ngpudoctor check --timeout 120\n" in draw(SAMPLES["timeouts"]())


def test_hung_and_failed_probes_are_named_and_skipped_ones_only_when_verbose() -> None:
    text = draw(SAMPLES["timeouts"]())
    assert "nvml no answer in 10.0 s: stuck in nvmlInit_v2" in text
    assert "driver failed: /proc/driver/nvidia/version" in text
    assert "torch skipped" not in text
    assert "torch skipped: --quick" in draw(SAMPLES["timeouts"](), options=RenderOptions(verbose=True))


def test_an_error_shows_its_message_and_hint_and_nothing_that_was_not_done() -> None:
    text = draw(SAMPLES["unusable_input"]())
    assert "Could not diagnose: cannot read snapshot.json" in text
    assert "hint: `gpudoctor snapshot -o FILE` writes one" in text
    assert "SUMMARY" not in text


def test_the_last_lines_repeat_the_first_thing_to_do() -> None:
    tail = draw(SAMPLES["tp_error"]()).splitlines()[-4:]
    assert tail == [
        "  1 error, 2 warnings, 1 note; 84 rules evaluated, 11 of 11 probes answered",
        "  First: TP size 4 needs more GPUs than the 2 that this process can see",
        "  Fix: run on the 2 GPUs that are there",
        "  More about it: gpudoctor explain tp-exceeds-visible-gpus",
    ]


def test_a_log_that_says_markup_is_shown_as_it_is() -> None:
    text = draw(report("error", machines.no_gpu(), (finding(1, "r", "error", "at [/opt/x] in [bold]y[/bold]"),)))
    assert "at [/opt/x] in [bold]y[/bold]" in text


@pytest.mark.parametrize("width", [40, 50, 72, 100, 120, 200])
@pytest.mark.parametrize("sample", SAMPLES)
def test_no_sample_runs_over_the_edge_and_none_loses_its_title(sample: str, width: int) -> None:
    made = SAMPLES[sample]()
    text = draw(made, options=RenderOptions(width=width, verbose=True))
    commands = [command for one in made.findings for command in (*(words.paste(fix) for fix in one.fixes), one.verify)]
    pasted = {line for command in commands for line in clean_lines(command)}
    for line in text.splitlines():
        whole = line in pasted or line.startswith(("gpudoctor ", "sudo ")) or any("/" in word for word in line.split())
        assert columns(line) <= width or whole, line
    for one in made.findings[:1]:
        start = clean_prose(one.title, 400).split()[:3]
        assert " ".join(start) in " ".join(text.split())
