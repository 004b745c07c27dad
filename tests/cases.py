"""`python -m tests.cases DIR [--save FILE] [--against FILE] [--only PREFIX]`: score labelled cases in one process.

A case is a folder with `case.json` (`cause`, `acceptable`) and some of log.txt, topo.txt, env.txt, command.txt. It
counts as top1 where the first finding's cause is acceptable, as top3 where its own cause is among the first three, and
as quiet (cause `healthy`) where nothing is an error. Rules are loaded once, so hundreds of cases take seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path

from msgspec import Struct

from gpudoctor.cli.findings.rule_set import reader_of
from gpudoctor.derive import derive
from gpudoctor.engine.evaluate import diagnose
from gpudoctor.engine.files import read_rules
from gpudoctor.engine.load import RuleSet
from gpudoctor.logs.open import Source
from gpudoctor.logs.read import Reader
from gpudoctor.model.finding import Finding
from gpudoctor.paths import log_rules_dir, rules_dir

INPUTS = ("log.txt", "topo.txt", "env.txt", "command.txt")


class Scored(Struct, frozen=True):
    """How one case went."""

    name: str
    cause: str
    ranked: tuple[str, ...]  # distinct causes in order, remarks left out
    rules: tuple[str, ...]  # ids of the findings in order
    errors: int  # distinct causes of severity error
    top1: bool
    top3: bool


class Bench:
    """All rules that can be loaded: somebody may just be writing one."""

    def __init__(self) -> None:
        found = read_rules([rules_dir(), log_rules_dir()])
        self.problems = found.problems
        self.rules = RuleSet(tuple(rule for rule in found.rules if rule.spec.tier != "log" or not rule.check()))
        self.reader: Reader = reader_of(self.rules.rules)

    def findings(self, folder: Path) -> tuple[Finding, ...]:
        """What `gpudoctor diagnose` finds in the files of a case."""
        files = [folder / name for name in INPUTS if (folder / name).exists()]
        reading = self.reader.read([Source(file) for file in files])
        return diagnose(self.rules, derive(reading.facts), seen=reading.seen).findings


def score(folder: Path, bench: Bench) -> Scored | None:
    """None for a folder that is no usable case."""
    case = json.loads((folder / "case.json").read_text())
    if not case.get("usable", True) or not any((folder / name).exists() for name in INPUTS):
        return None
    findings = bench.findings(folder)
    loud = [finding for finding in findings if finding.severity != "info"]
    ranked = tuple(dict.fromkeys(finding.cause for finding in loud))
    errors = {finding.cause for finding in findings if finding.severity == "error"}
    cause = case["cause"]
    acceptable = {*(case.get("acceptable") or [cause]), cause}
    if cause == "healthy":
        top1 = top3 = not errors
    else:
        top1 = bool(ranked) and ranked[0] in acceptable
        top3 = bool(set(ranked[:3]) & (acceptable if cause.startswith("other:") else {cause}))
    ids = tuple(f"{finding.id}{'' if finding.severity == 'error' else '?'}" for finding in loud)
    return Scored(folder.name, cause, ranked, ids, len(errors), top1, top3)


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--save", type=Path, help="write the outcome of each case")
    parser.add_argument("--against", type=Path, help="an outcome that was saved: print gained and lost cases")
    parser.add_argument("--only", default="", help="cases whose name or cause begins with this")
    parser.add_argument("--all", action="store_true", help="print every case, not only misses")
    options = parser.parse_args()
    started = time.perf_counter()
    bench = Bench()
    for problem in bench.problems:
        sys.stderr.write(f"{problem}\n")
    folders = sorted(file.parent for file in options.folder.glob("*/case.json"))
    results = [result for folder in folders if (result := score(folder, bench)) is not None]
    results = [
        one for one in results if options.only in ("", one.name[: len(options.only)], one.cause[: len(options.only)])
    ]
    if not results:
        sys.stderr.write(f"no usable case under {options.folder}\n")
        return 2
    for one in results:
        if options.all or not (one.top1 and one.top3):
            mark = "ok  " if one.top1 and one.top3 else "3   " if one.top3 else "1   " if one.top1 else "MISS"
            print(
                f"{mark} {one.name:22} want {one.cause:22} got {' '.join(one.ranked[:4])}  [{' '.join(one.rules[:4])}]"
            )
    _table(results, time.perf_counter() - started)
    if options.against is not None:
        _compare(results, json.loads(options.against.read_text()))
    if options.save is not None:
        options.save.write_text(json.dumps({one.name: [one.top1, one.top3] for one in results}))
    return 0


def _table(results: list[Scored], seconds: float) -> None:
    by_cause: dict[str, list[Scored]] = defaultdict(list)
    for one in results:
        by_cause[one.cause].append(one)
    print(f"\n{'cause':26}{'cases':>6}{'top1':>6}{'top3':>6}")
    for cause, several in sorted(by_cause.items()):
        print(f"{cause:26}{len(several):>6}{sum(one.top1 for one in several):>6}{sum(one.top3 for one in several):>6}")
    sick = [one for one in results if one.cause != "healthy"]
    well = [one for one in results if one.cause == "healthy"]
    count = len(sick) or 1
    print(
        f"\n{len(sick)} cases: top1 {sum(one.top1 for one in sick) / count:.1%}, "
        f"top3 {sum(one.top3 for one in sick) / count:.1%}, "
        f"{sum(one.errors for one in sick) / count:.2f} error causes a case; "
        f"{sum(one.top1 for one in well)}/{len(well)} healthy cases quiet; {seconds:.1f} s"
    )


def _compare(results: list[Scored], before: dict[str, list[bool]]) -> None:
    for word, gain in (("gained", True), ("lost", False)):
        for place, what in ((0, "top1"), (1, "top3")):
            names = [
                one.name
                for one in results
                if one.name in before and (one.top1, one.top3)[place] is gain and before[one.name][place] is not gain
            ]
            if names:
                print(f"{word} {what}: {' '.join(names)}")


if __name__ == "__main__":
    sys.exit(_main())
