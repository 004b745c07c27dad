"""How a program's command line is described: one `Spec` a program, data only."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Value = int | float | bool | str

Kind = Literal[
    "count",  # a whole number of at least 1
    "int",
    "tokens",  # a whole number, also as vLLM writes it: 32k, 1M
    "float",
    "text",
    "dtype",
    "flag",  # no value: true
    "flag_off",  # no value: false
    "optional",  # a text where one is written in the same word (--name=text), else an empty one
    "boolean",  # a word: true or false; or no value: true
    "many",  # a number of 1 stands for "not used": expert parallelism as a size
    "size",  # bytes with a unit, as docker writes it: 16g, 10.24gb
    "range",  # a number, or "minimum:maximum", of which only equal ends say how many
    "endpoint",  # host:port, which gives master_addr and master_port
    "list",  # takes all words up to the next option
    "assign",  # NAME=value for the environment, or NAME alone to pass it on
]

Follow = Literal["end", "command", "script", "image"]


class Option(Struct, frozen=True):
    """An option that says something about the workload.

    `field` is a field of `Workload` or an intermediate one of `sizes.py`; "" for an option that is only listed so
    that its abbreviation is ambiguous. `names[0]` is the spelling that a fix uses. A value listed in `dynamic` is
    decided when the program runs. `env` is the variable that stands for the option where it is not given.
    """

    field: str
    names: tuple[str, ...]
    kind: Kind = "text"
    dynamic: tuple[str, ...] = ()
    env: str = ""


class Spec(Struct, frozen=True, kw_only=True):
    """A program that launches GPU work, wraps such a launch, or is the work itself."""

    name: str  # as in `workload.framework`
    role: Literal["engine", "launcher", "wrapper", "container", "script"] = "engine"
    programs: tuple[str, ...] = ()  # file names of executables
    modules: tuple[str, ...] = ()  # `python -m`; a trailing dot matches everything below
    scripts: tuple[str, ...] = ()  # file names of Python scripts
    script_needs: tuple[str, ...] = ()  # a script with such a common name counts only with one of these options
    images: tuple[str, ...] = ()  # container images whose entrypoint is this program: a part of the repository name
    subcommands: tuple[str, ...] = ()  # words that may stand directly after the program
    options: tuple[Option, ...] = ()
    valued: str = ""  # other options that take a value, separated by spaces
    flags: str = ""  # other options that take none
    paired: str = ""  # other options that take two values, as mpirun's --mca
    unknown: Literal["flag", "value"] = "value"  # what an option is taken for that is not listed
    abbreviations: bool = False  # argparse accepts unambiguous beginnings
    clusters: bool = False  # -n4 is -n 4
    positional: str = ""  # field of the first word that is no option
    follow: Follow = "end"
    skip: int = 0  # words of its own between its options and the command that it starts
    barrier: Literal["", "assign", "env"] = ""  # variables in front do not get through; how they are given inside
    # What becomes of the shell's variables: passed on, dropped but for what a policy keeps, or those of another place.
    environment: Literal["inherited", "filtered", "elsewhere"] = "inherited"
    takes_line: bool = False  # the command that it starts may be a whole command line in one word, as for ssh
    native: bool = False  # not a Python program: its folder says nothing about an interpreter
    chooses_python: bool = False  # uv, conda, ssh: the interpreter is not the one on this shell's PATH
    defaults: tuple[tuple[str, Value], ...] = ()


def other_names(spec: Spec) -> list[tuple[str, int]]:
    """Names of the options that say nothing about the workload, and how many values they take."""
    counted = ((spec.valued, 1), (spec.flags, 0), (spec.paired, 2))
    return [(name, values) for names, values in counted for name in names.split()]
