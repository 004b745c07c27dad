"""The interpreter that the workload runs under, and the distributions there that matter to a GPU run."""

from __future__ import annotations

from gpudoctor.host.access import Host, HostError
from gpudoctor.host.probe import Probe, Request
from gpudoctor.host.target import choose_python
from gpudoctor.model.fact import Fact, absent, known
from gpudoctor.model.facts.python_target import Distribution, PythonTarget
from gpudoctor.probes._interpreter import Interpreter, describe
from gpudoctor.readers.distributions import VERSION_FIELDS, matters
from gpudoctor.readers.home import shown

_SOURCE = "describe.py under the target interpreter"
_FOLDERS = "*.dist-info on sys.path"


def collect(host: Host, request: Request) -> PythonTarget:
    """A section whose `error` says why the interpreter does not start, where it does not."""
    home = request.home(host)
    target = choose_python(host, request)
    executable = known(shown(target.executable, home), target.chosen_by)
    chosen_by = known(target.chosen_by, "choice of the interpreter")
    try:
        interpreter = describe(host, request)
    except HostError as error:
        return _broken(executable, chosen_by, HostError(error.reason, shown(error.detail, home)))
    return PythonTarget(
        executable=executable,
        chosen_by=chosen_by,
        version=known(interpreter.version, _SOURCE),
        prefix=known(shown(interpreter.prefix, home), _SOURCE),
        sys_path=known(tuple(shown(entry, home) for entry in interpreter.path), _SOURCE),
        error=known("", _SOURCE),
        distributions=known(_relevant(interpreter, home), _FOLDERS),
        **{field: _version(interpreter, names) for field, names in VERSION_FIELDS.items()},
    )


def _broken(executable: Fact[str], chosen_by: Fact[str], error: HostError) -> PythonTarget:
    return PythonTarget(
        executable=executable,
        chosen_by=chosen_by,
        version=error.fact(_SOURCE),
        prefix=error.fact(_SOURCE),
        sys_path=error.fact(_SOURCE),
        error=known(error.detail, _SOURCE),
        distributions=error.fact(_SOURCE),
        **{field: error.fact(_SOURCE) for field in VERSION_FIELDS},
    )


def _version(interpreter: Interpreter, names: tuple[str, ...]) -> Fact[str]:
    item = interpreter.first(*names)
    if item is None:
        return absent("not_applicable", f"{names[0]} is not installed", _FOLDERS)
    return known(item.version, f"{item.name}-{item.version}.dist-info")


def _relevant(interpreter: Interpreter, home: str) -> tuple[Distribution, ...]:
    """In the order of sys.path; a name that is installed twice appears twice."""
    return tuple(
        Distribution(name=item.name, version=item.version, location=shown(item.folder, home))
        for item in interpreter.installed
        if matters(item.name)
    )


PROBE = Probe(name="python", section=PythonTarget, collect=collect, timeout_s=10.0, asks_target=True)
