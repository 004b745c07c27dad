"""The smallest change of the user's own launch command: order, spelling and line breaks stay."""

from __future__ import annotations

import re
import shlex
from typing import Final

from gpudoctor.model.change import Change
from gpudoctor.model.facts import Workload
from gpudoctor.workload import registry
from gpudoctor.workload.edits import Edits, assignment
from gpudoctor.workload.errors import CommandError
from gpudoctor.workload.generic import generic
from gpudoctor.workload.layout import Assignment, Layout
from gpudoctor.workload.scan import Hit, Scan
from gpudoctor.workload.spec import Option
from gpudoctor.workload.walk import walk_text
from gpudoctor.workload.words import has_control

_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_TRUE: Final = frozenset({"true", "1", "yes", "on", ""})
_MAX_CHARACTERS: Final = 64 << 10  # every fix reads the command again, and nobody pastes a longer one back
_FOLLOWERS: Final = ("processes_per_node", "processes")  # a launcher starts one process for each part of the model


class _ImpossibleError(Exception):
    """This command has no place for the change."""


def rewrite(workload: Workload, change: Change) -> str:
    """The workload's command with the change made, ready to be pasted into a shell.

    Without a launch command it is what the shell can keep for whatever is started next (`generic.advice` has the
    options). "" where the change cannot be said on this command line (this program has no such option, it is far too
    long) or would change nothing.
    """
    command = workload.command.or_none()
    if not command:
        return generic(change)
    if len(command) > _MAX_CHARACTERS:
        return ""
    try:
        layout = walk_text(command)
        return _changed(layout, command, change) if layout is not None else ""
    except (CommandError, _ImpossibleError):
        return ""


def _changed(layout: Layout, command: str, change: Change) -> str:
    rewriter = _Rewriter(layout)
    for field, value in change.flags.items():
        rewriter.flag(field, value)
    for option in change.remove:
        rewriter.remove(option)
    for option in change.add:
        rewriter.add(option)
    for name, value in change.env.items():
        rewriter.set_variable(name, value)
    for name in change.unset:
        rewriter.unset_variable(name)
    result = rewriter.result()
    return "" if result == command or has_control(result) else result


class _Rewriter:
    def __init__(self, top: Layout) -> None:
        self.chain = top.chain()
        self.edits = [Edits(layout.text) for layout in self.chain]
        self.scans = [(i, scan) for i, layout in enumerate(self.chain) for scan in layout.scans]
        barriers = [(i, layout.barrier) for i, layout in enumerate(self.chain) if layout.barrier]
        self.barrier = barriers[-1] if barriers else None
        self.assigned = False

    def result(self) -> str:
        """The changed text of the outermost command, inner command lines quoted again."""
        text = self.edits[-1].apply()
        for i in range(len(self.chain) - 2, -1, -1):
            word = self.chain[i].nested_word
            if word is not None and text != self.chain[i + 1].text:
                self.edits[i].replace(word.start, word.end, shlex.quote(text))
            text = self.edits[i].apply()
        return text

    # Options

    def flag(self, field: str, value: str) -> None:
        """Give a field of the workload a value, in whatever spelling the command uses."""
        old = self._number(field)
        hits = self._hits(field)
        if hits:
            for i, hit in hits:
                self._replace_value(i, hit, value)
        elif field != "processes_per_node" or not self._all_processes(value):
            self._append_field(field, value)
        total = self._number("processes")
        if field == "processes_per_node" and hits and old and total and total % old == 0 and value.isdecimal():
            for i, hit in self._hits("processes"):
                self._replace_value(i, hit, str(total // old * int(value)))
        if field == "tp" and hits and old is not None:
            for follower in _FOLLOWERS:
                if self._number(follower) == old:
                    for i, hit in self._hits(follower):
                        self._replace_value(i, hit, value)

    def _hits(self, field: str) -> list[tuple[int, Hit]]:
        return [
            (i, hit)
            for i, scan in self.scans
            for hit in scan.hits
            if any(name == field for name, _ in hit.fields) and hit.option.kind != "endpoint"
        ]

    def _number(self, field: str) -> int | None:
        values = [value for _, hit in self._hits(field) for name, value in hit.fields if name == field]
        value = values[-1] if values else None
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def _replace_value(self, i: int, hit: Hit, value: str) -> None:
        words = self.chain[i].words
        name = words[hit.name]
        if hit.option.kind in ("flag", "flag_off"):
            wanted = (value.lower() in _TRUE) == (hit.option.kind == "flag")
            if not wanted:
                self.edits[i].remove(name.start, name.end)
        elif hit.value < 0:
            self.edits[i].insert(name.end, " " + shlex.quote(value))
        elif hit.value == hit.name and hit.option.names:
            prefix = name.text[: len(name.text) - len(hit.text)]
            self.edits[i].replace(name.start, name.end, prefix + shlex.quote(value))
        else:
            self.edits[i].replace(words[hit.value].start, words[hit.last].end, shlex.quote(value))

    def _all_processes(self, per_node: str) -> bool:
        """Whether a launcher is told the processes of all nodes together; then that number changes."""
        hits = self._hits("processes")
        nodes = self._nodes()
        if nodes is None or not per_node.isdecimal():
            return False
        total = str(int(per_node) * nodes)
        for i, hit in hits:
            self._replace_value(i, hit, total)
        if not hits:
            known = [(i, s, o) for i, s in reversed(self.scans) if (o := registry.option_for(s.spec, "processes"))]
            if not known or registry.option_for(known[0][1].spec, "processes_per_node"):
                return False
            self._insert_option(*known[0], total)
        return True

    def _nodes(self) -> int | None:
        """The number of nodes that the command names, 1 where it names none; None where a file says it."""
        if self._hits("hostfile") or self._hits("config_file"):
            return None
        hosts = [hit.text for _, hit in self._hits("hosts")]
        return self._number("nodes") or (len(hosts[-1].split(",")) if hosts else 1)

    def _append_field(self, field: str, value: str) -> None:
        for i, scan in reversed(self.scans):
            if scan.spec.role == "script":
                continue  # nobody knows whether this script has such an option
            option = registry.option_for(scan.spec, field)
            if option is None and field == "tp" and scan.spec.role == "launcher":
                self._processes(i, scan, value)
                return
            if option is not None:
                if value != str(dict(scan.spec.defaults).get(field, "")):
                    self._insert_option(i, scan, option, value)
                return
        raise _ImpossibleError

    def _processes(self, i: int, scan: Scan, value: str) -> None:
        """A launcher knows no TP size: it starts one process for each part of the model."""
        include = [h for h in scan.hits if h.option.field == "include"]
        if include:
            self._replace_value(i, include[-1], _first_devices(include[-1].text, value))
            return
        option = next(o for f in _FOLLOWERS if (o := registry.option_for(scan.spec, f)))
        hits = [h for h in scan.hits if h.option == option]
        if hits:
            self._replace_value(i, hits[-1], value)
        else:
            self._insert_option(i, scan, option, value)

    def _insert_option(self, i: int, scan: Scan, option: Option, value: str) -> None:
        if option.kind == "flag":
            if value.lower() in _TRUE:
                self._insert(i, scan, option.names[0])
        elif option.kind == "size" or scan.spec.role == "container":
            self._insert(i, scan, f"{option.names[0]}={shlex.quote(value)}")
        else:
            self._insert(i, scan, f"{option.names[0]} {shlex.quote(value)}")

    def _insert(self, i: int, scan: Scan, text: str) -> None:
        """Behind the last word of a program's options."""
        words = self.chain[i].words
        before = words[scan.end - 1].end if scan.end > 0 else words[0].start
        self.edits[i].insert(before, " " + text)

    def add(self, literal: str) -> None:
        """Add an option as it is written, to the program that knows it, else to the innermost."""
        try:
            parts = shlex.split(literal)
        except ValueError:
            parts = [literal]
        if not parts or not self.scans:
            raise _ImpossibleError
        name = parts[0].partition("=")[0]
        known = [(i, s) for i, s in reversed(self.scans) if registry.find_option(s.spec, name) is not None]
        usable = [(i, s) for i, s in reversed(self.scans) if s.spec.role != "wrapper"]
        if not known and (not usable or registry.belongs_to_another(name)):
            raise _ImpossibleError
        i, scan = (known or usable)[0]
        present = [w.text for w in self.chain[i].words[scan.start : scan.end]]
        if literal not in present and not _contains(present, parts):
            self._insert(i, scan, " ".join(shlex.quote(p) for p in parts))

    def remove(self, literal: str) -> None:
        """Take an option away, with its value, in all spellings of it."""
        for i, scan in self.scans:
            wanted = registry.find_option(scan.spec, literal.partition("=")[0])
            spans = _spans(self.chain[i], scan, literal, wanted if isinstance(wanted, Option) else None)
            for start, end in spans:
                self.edits[i].remove(start, end)

    # Variables

    def _assignments(self, name: str) -> list[tuple[int, Assignment]]:
        return [(i, a) for i, layout in enumerate(self.chain) for a in layout.assignments if a.name == name]

    def set_variable(self, name: str, value: str) -> None:
        """Replace the value where the command sets the variable, else set it where it reaches the program."""
        if not _NAME.fullmatch(name):
            raise _ImpossibleError
        found = self._assignments(name)
        for i, old in found:
            self.edits[i].replace(old.word_start, old.end, old.prefix + assignment(name, value))
        if found:
            return
        if self.barrier is None:
            self.edits[0].insert(self.chain[0].front, assignment(name, value) + " ")
            return
        i, barrier = self.barrier
        prefix = {"option": "-e ", "assign": "", "env": "" if self.assigned else "env "}[barrier.kind]
        self.assigned = True
        self.edits[i].insert(barrier.offset, prefix + assignment(name, value) + " ")

    def unset_variable(self, name: str) -> None:
        """Take the variable away where the command sets it, else keep the shell's from the program."""
        if not _NAME.fullmatch(name):
            raise _ImpossibleError
        found = self._assignments(name)
        for i, old in found:
            self.edits[i].remove(old.start, old.end)
        sealed = self.barrier is not None and self.barrier[1].kind == "option"
        if found or sealed or any(name in layout.unset for layout in self.chain):
            return
        self.edits[-1].insert(self.chain[-1].program, f"env -u {name} ")


def _first_devices(include: str, count: str) -> str:
    """DeepSpeed's host:0,1,2,3 with fewer devices; it takes no number of processes beside such a list."""
    host, colon, listed = include.partition(":")
    devices = listed.split(",")
    if "@" in include or not colon or not count.isdecimal() or not 0 < int(count) <= len(devices):
        raise _ImpossibleError
    return f"{host}:{','.join(devices[: int(count)])}"


def _contains(words: list[str], parts: list[str]) -> bool:
    return any(words[k : k + len(parts)] == parts for k in range(len(words) - len(parts) + 1))


def _spans(layout: Layout, scan: Scan, literal: str, wanted: Option | None) -> list[tuple[int, int]]:
    """Where an option stands: from its name to the end of its value."""
    words = layout.words
    if wanted is not None:
        return [(words[h.name].start, words[max(h.name, h.last)].end) for h in scan.hits if h.option == wanted]
    found: list[tuple[int, int]] = []
    name = registry.normal(literal.partition("=")[0])
    for k in range(scan.start, scan.end):
        text = words[k].text
        if registry.normal(text.partition("=")[0]) != name:
            continue
        listed = registry.find_option(scan.spec, name)
        takes = listed.values if isinstance(listed, registry.Listed) and "=" not in text else 0
        found.append((words[k].start, words[min(k + takes, scan.end - 1)].end))
    return found
