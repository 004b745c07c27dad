"""All `Spec`s, found by directory, and what finds one: program, module, script or container image."""

from __future__ import annotations

import importlib
import pkgutil
from bisect import bisect_left
from functools import cache

from gpudoctor.workload.frameworks import __name__ as _package
from gpudoctor.workload.frameworks import __path__ as _folder
from gpudoctor.workload.spec import Option, Spec, other_names

_ABBREVIATION = 4  # shorter beginnings are not worth a guess
_VERSIONED = ("python", "pypy")


class Listed:
    """An option that says nothing about the workload, and how many values it takes."""

    def __init__(self, values: int) -> None:
        self.values = values


_LISTED = (Listed(0), Listed(1), Listed(2))


@cache
def specs() -> tuple[Spec, ...]:
    """Every spec of the package's `frameworks` folder, in the order of file names."""
    found: list[Spec] = []
    for info in sorted(pkgutil.iter_modules(_folder), key=lambda m: m.name):
        module = importlib.import_module(f"{_package}.{info.name}")
        found.extend(getattr(module, "SPECS", ()) or (module.SPEC,))
    return tuple(found)


@cache
def by_name(name: str) -> Spec | None:
    """The spec of a framework as `workload.framework` names it."""
    return next((s for s in specs() if s.name == name), None)


@cache
def _programs() -> dict[str, list[tuple[tuple[str, ...], Spec]]]:
    table: dict[str, list[tuple[tuple[str, ...], Spec]]] = {}
    for spec in specs():
        for program in spec.programs:
            first, *rest = program.split()
            table.setdefault(first, []).append((tuple(rest), spec))
    for entries in table.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return table


def by_program(name: str, following: tuple[str, ...]) -> tuple[Spec, int] | None:
    """The spec of an executable's file name, and how many words the program's name takes (`uv run` is two)."""
    for rest, spec in _programs().get(name, ()):
        if following[: len(rest)] == rest:
            return spec, 1 + len(rest)
    return None


def by_module(name: str) -> Spec | None:
    """The spec of `python -m NAME`."""
    for spec in specs():
        if any(name == m or (m.endswith(".") and name.startswith(m)) for m in spec.modules):
            return spec
    return None


def by_script(name: str, words: tuple[str, ...]) -> Spec | None:
    """The spec of a Python script's file name, given the words after it."""
    for spec in specs():
        if name in spec.scripts:
            given = {word.partition("=")[0].replace("_", "-") for word in words}
            if not spec.script_needs or given & {n.replace("_", "-") for n in spec.script_needs}:
                return spec
    return None


def by_image(image: str) -> Spec | None:
    """The spec whose program is the entrypoint of a container image."""
    repository = image.partition("@")[0]
    head, slash, tail = repository.rpartition("/")
    repository = f"{head}{slash}{tail.partition(':')[0]}".lower()
    for spec in specs():
        if any(repository == i or repository.endswith("/" + i) for i in spec.images):
            return spec
    return None


def is_python(name: str) -> bool:
    """Whether a program's file name is a Python interpreter's."""
    return any(name == p or (name.startswith(p) and name[len(p) :].replace(".", "").isdigit()) for p in _VERSIONED)


def normal(name: str) -> str:
    """An option's name as it is compared: vLLM, torchrun and others take - and _ alike in long names."""
    return name.replace("_", "-") if name.startswith("--") else name


@cache
def _options(spec_name: str) -> dict[str, Option | Listed]:
    spec = by_name(spec_name)
    table: dict[str, Option | Listed] = {}
    if spec is None:
        return table
    for name, values in other_names(spec):
        table[normal(name)] = _LISTED[values]
    for option in spec.options:
        for name in option.names:
            table[normal(name)] = option
    return table


@cache
def _sorted_names(spec_name: str) -> list[str]:
    return sorted(_options(spec_name))


def _abbreviated(spec_name: str, name: str) -> Option | Listed | None:
    """The only option whose name begins so. Options that are merely listed count one by one."""
    names = _sorted_names(spec_name)
    found: Option | Listed | None = None
    for full in names[bisect_left(names, name) :]:
        if not full.startswith(name):
            break
        option = _options(spec_name)[full]
        if found is not None and (option is not found or isinstance(option, Listed)):
            return None
        found = option
    return found


def find_option(spec: Spec, name: str) -> Option | Listed | None:
    """What the spec knows of an option's name, abbreviations included; None where it knows nothing."""
    plain = normal(name)
    found = _options(spec.name).get(plain)
    if found is None and spec.abbreviations and plain.startswith("--") and len(plain) >= 2 + _ABBREVIATION:
        return _abbreviated(spec.name, plain)
    return found


def belongs_to_another(name: str) -> bool:
    """Whether an option that a command's own programs do not have is that of a container, launcher or engine."""
    roles = ("container", "launcher", "engine")
    return any(isinstance(_options(s.name).get(normal(name)), Option) for s in specs() if s.role in roles)


def option_for(spec: Spec, field: str) -> Option | None:
    """The option that sets a field of the workload."""
    return next((o for o in spec.options if o.field == field and o.names), None)
