"""`python -m gpudoctor.cli.rules.devtest [folder | file ...]`: lint rules and run their cases, or all of ours."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from gpudoctor.cli.findings.rule_set import log_reader
from gpudoctor.engine.cases import run_cases
from gpudoctor.engine.files import read_rules
from gpudoctor.engine.lint import lint
from gpudoctor.engine.problem import Problem
from gpudoctor.paths import log_rules_dir, rules_dir


def examine(places: Sequence[Path]) -> tuple[list[Problem], int, int]:
    """Problems of the rules at `places` (all of ours when empty), how many rules and how many cases there are."""
    roots = [rules_dir(), log_rules_dir()]
    found = read_rules(roots)
    wanted = [place.resolve() for place in places] or roots

    def asked(file: str) -> bool:
        return any(Path(file).resolve().is_relative_to(place) for place in wanted)

    problems = [problem for problem in lint(roots) if asked(problem.file)]
    cases = 0
    rules = [rule for rule in found.rules if asked(rule.file)]
    of_logs = any(rule.spec.tier == "log" for rule in rules)
    read_log = log_reader([rule for rule in found.rules if not rule.check()]) if of_logs else None
    for rule in rules:
        if rule.check():
            continue
        results = run_cases(rule, read_log)
        cases += len(results)
        problems += [result.problem for result in results if result.problem is not None]
    return sorted(set(problems)), len(rules), cases


def _main(arguments: Sequence[str]) -> int:
    places = [Path(argument) for argument in arguments]
    for place in places:
        if not place.exists():
            sys.stderr.write(f"{place}: not there\n")
            return 2
    problems, rules, cases = examine(places)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(f"{rules} rules, {cases} cases, {len(problems)} problems\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
