"""Runs situations through the installed command, two at a time. Each machine and each environment is built once."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from tests.acceptance.interpreter import build_target
from tests.acceptance.situation import Situation, targets
from tests.probes.targets import FakeTarget
from tests.sim import machine
from tests.sim.build import environment, materialise

GPUDOCTOR = Path(sys.executable).with_name("gpudoctor")
TIMEOUT_S = 90
T = TypeVar("T")


class Outcome:
    """What came out."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode not in (0, 1):  # neither "nothing at or above --fail-on" nor "findings"
            raise RuntimeError(f"gpudoctor check ended with {done.returncode}: {done.stderr}")
        self.report: dict[str, Any] = json.loads(done.stdout)
        self.findings: list[dict[str, Any]] = self.report["findings"]
        self.first = next((finding for finding in self.findings if finding["severity"] != "info"), None)

    @property
    def cause(self) -> str:
        return str(self.first["cause"]) if self.first else "none"

    @property
    def severity(self) -> str:
        return str(self.first["severity"]) if self.first else "none"

    @property
    def fix_line(self) -> str:
        """The first fix as one line: what to do, and its command where it has one."""
        if self.first is None:
            return ""
        fix = self.first["fixes"][0]
        return " ".join(" → ".join(filter(None, (fix["title"], fix["command"]))).split())

    @property
    def error_causes(self) -> set[str]:
        return {finding["cause"] for finding in self.findings if finding["severity"] == "error"}


class _Once:
    """Builds each thing once, whichever thread asks first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Future[Any]] = {}

    def get(self, key: str, make: Callable[[], T]) -> T:
        with self._lock:
            future = self._made.get(key)
            mine = future is None
            if future is None:
                future = self._made[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
                raise
        made: T = future.result()
        return made


class Laboratory:
    """Simulated machines and environments below one folder."""

    def __init__(self, folder: Path, *, workers: int = 2) -> None:
        self._folder = folder
        self._once = _Once()
        self._targets = targets()
        self._pool = ThreadPoolExecutor(workers)
        self._runs: dict[str, Future[Outcome]] = {}

    def start(self, wanted: Iterable[Situation]) -> None:
        """Begin to run them in the background."""
        for one in wanted:
            if one.situation not in self._runs:
                self._runs[one.situation] = self._pool.submit(self.run, one)

    def outcome(self, one: Situation) -> Outcome:
        """What came out of a situation."""
        self.start([one])
        return self._runs[one.situation].result()

    def run(self, one: Situation) -> Outcome:
        """`gpudoctor check --format json` in that situation."""
        command = self.command(one, "--format", "json")
        return Outcome(
            subprocess.run(command, env=self.env(one), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        )

    def command(self, one: Situation, *options: str) -> list[str]:
        """The command line."""
        quick = [] if one.imports else ["--quick"]
        launch = ["--", *shlex.split(one.launch)] if one.launch else []
        places = self._places(one)
        arguments = [argument.format_map(places) for argument in one.arguments]
        return [str(GPUDOCTOR), "check", *quick, *options, *arguments, *launch]

    def snapshot(self, name: str) -> Path:
        """A snapshot of a machine as it is, with a torch that works."""
        plain = Situation(situation=name, machine=name, cause="none")
        file = self._folder / f"{name}.json"

        def take() -> Path:
            command = [str(GPUDOCTOR), "snapshot", "--quick", "-o", str(file)]
            subprocess.run(command, env=self.env(plain), check=True, capture_output=True, timeout=TIMEOUT_S)
            return file

        return self._once.get(f"snapshot {name}", take)

    def offline(self, name: str, *arguments: str) -> Outcome:
        """`gpudoctor check --snapshot` of that machine, for a run described by `arguments`."""
        command = [str(GPUDOCTOR), "check", "--snapshot", str(self.snapshot(name)), "--format", "json", *arguments]
        return Outcome(subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False))

    def env(self, one: Situation) -> dict[str, str]:
        """The environment of a shell on that machine."""
        folder, target, places = self._machine(one), self._target(one.target), self._places(one)
        own = {name: value.format_map(places) for name, value in one.env.items()}
        base = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        # An activated environment, and nothing of the one that the tests run in: its torchrun would be examined.
        base["PATH"] = f"{target.prefix}/bin:/usr/bin:/bin"
        shell = {"HOME": str(target.home), "VIRTUAL_ENV": str(target.prefix), **own}
        return environment(folder, one.faults, shell, base=base)

    def _places(self, one: Situation) -> dict[str, Path]:
        target = self._target(one.target)
        return {"lib": self._machine(one) / "lib", "target": target.prefix, "stray": target.root / "stray"}

    def _machine(self, one: Situation) -> Path:
        """The machine; situations that differ only in what is run share it."""
        key = json.dumps([one.machine, one.change, one.remove, one.deny], sort_keys=True)
        return self._once.get(f"machine {key}", lambda: self._build(one))

    def _build(self, one: Situation) -> Path:
        with_number = self._once.get("numbers", _Numbers).next()
        folder = self._folder / f"machine{with_number}"
        described = machine.load(one.machine)
        if one.change:
            file = self._folder / f"described{with_number}" / f"{one.machine}.yaml"
            file.parent.mkdir()
            file.write_text(json.dumps({"base": one.machine, **one.change}), encoding="utf-8")  # JSON is YAML
            described = machine.load_file(file)
        materialise(described, folder)
        for path in one.remove:
            _remove(folder / "root" / path.lstrip("/"))
        for path in one.deny:
            denied = folder / "root" / path.lstrip("/")
            _remove(denied)
            denied.symlink_to(denied.name)  # a link to itself is listed and opens for nobody
        return folder

    def _target(self, name: str) -> FakeTarget:
        return self._once.get(f"target {name}", lambda: build_target(self._targets[name], self._folder / name))


class _Numbers:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        with self._lock:
            self._last += 1
            return self._last


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
