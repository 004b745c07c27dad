"""Takes a launch command apart: wrappers, containers, shells and launchers, down to the program that does the work."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from gpudoctor.workload import registry
from gpudoctor.workload.frameworks.script import SPEC as SCRIPT
from gpudoctor.workload.layout import Assignment, Barrier, Layout
from gpudoctor.workload.scan import Scan, resolve, scan
from gpudoctor.workload.settings import Settings, assignment_of
from gpudoctor.workload.spec import Spec
from gpudoctor.workload.words import Word, simple_commands

_KEYWORDS: Final = frozenset({"!", "{", "then", "do", "else", "if", "while"})
_SHELLS: Final = frozenset({"bash", "sh", "zsh", "dash", "ash", "fish"})
_SHELL_COMMAND = re.compile(r"-[a-z]*c[a-z]*")
_PYTHON_VALUED: Final = frozenset({"-X", "-W", "--check-hash-based-pycs"})
_MAX_LAYERS: Final = 32
_MAX_NESTING: Final = 4


def walk_text(text: str, depth: int = 0) -> Layout | None:
    """The layout of the launch command in a shell line or script; None where there is no command at all.

    Raises:
        CommandError: the text is no shell line, or an option has an impossible value.
    """
    settings = Settings()
    best: Layout | None = None
    best_rank = -1
    for words in simple_commands(text):
        if settings.take(words):
            continue
        layout = _Walker(text, words, settings.variables, depth).run()
        rank = layout.rank
        if rank > best_rank:
            layout.assignments[:0] = settings.exported
            layout.unset[:0] = settings.gone
            best, best_rank = layout, rank
    return best


class _Walker:
    def __init__(self, text: str, words: tuple[Word, ...], variables: dict[str, str], depth: int) -> None:
        self.words, self.variables, self.depth = words, variables, depth
        self.at = 0
        front = words[0].start
        self.layout = Layout(
            text=text, words=words, scans=[], assignments=[], lost=[], unset=[], front=front, program=front
        )

    def run(self) -> Layout:
        """Walks through the layers; what is not understood ends the walk."""
        while self.at < len(self.words) and self.words[self.at].text in _KEYWORDS | {"time"}:
            self.at += 1
            if self.at < len(self.words):
                self.layout.front = self.words[self.at].start
        self._assignments(moves_front=True)
        for _ in range(_MAX_LAYERS):
            if self.at >= len(self.words) or not self._layer():
                break
        return self.layout

    def _texts(self, start: int) -> tuple[str, ...]:
        return tuple(w.text for w in self.words[start : start + 4])

    def _layer(self) -> bool:
        """One program; whether another one follows."""
        word = self.words[self.at]
        self.layout.program = word.start
        name = word.text.rstrip("/").rpartition("/")[2]
        if name in _SHELLS:
            return self._shell()
        if registry.is_python(name):
            return self._python()
        if name.endswith(".py"):
            return self._script()
        found = registry.by_program(name, self._texts(self.at + 1))
        if found is None:
            return self._line()
        spec, taken = found
        if spec.role in {"engine", "launcher"} and "bin/" in word.text and not spec.native:
            self.layout.interpreter = str(PurePosixPath(word.text).parent / "python")
        self.at += taken
        return self._program(spec)

    def _line(self) -> bool:
        """A program that we do not know, or a command line in one word, as ssh takes it."""
        word = self.words[self.at]
        if self.at == len(self.words) - 1 and " " in word.text and self.at > 0 and self.depth < _MAX_NESTING:
            self._nest(word)
            return False
        if not word.text.startswith("-"):  # else: arguments of an image's entrypoint
            self.at += 1
        return self._program(SCRIPT)

    def _shell(self) -> bool:
        at = self.at + 1
        while at < len(self.words) and self.words[at].text.startswith("-"):
            if _SHELL_COMMAND.fullmatch(self.words[at].text):
                if at + 1 < len(self.words) and self.depth < _MAX_NESTING:
                    self._nest(self.words[at + 1])
                return False
            at += 1
        return False

    def _nest(self, word: Word) -> None:
        nested = walk_text(word.text, self.depth + 1)
        if nested is not None:
            self.layout.nested, self.layout.nested_word = nested, word
            nested.in_container = nested.in_container or self.layout.in_container

    def _python(self) -> bool:
        """`python -m module`, `python script.py`; a bare name is whatever PATH has, so it names no interpreter."""
        self.layout.interpreter = self.words[self.at].text
        self.at += 1
        while self.at < len(self.words) and self.words[self.at].text.startswith("-"):
            option = self.words[self.at].text
            if option.startswith("-m"):
                return self._module(option)
            if option.startswith("-c"):
                return False
            self.at += 2 if option in _PYTHON_VALUED else 1
        return self.at < len(self.words) and self._script()

    def _module(self, option: str) -> bool:
        self.at += 1
        return self._module_named(option[2:])

    def _module_named(self, name: str) -> bool:
        """A module of this name, or of the next word's where the name is empty."""
        if not name:
            if self.at >= len(self.words):
                return False
            name = self.words[self.at].text
            self.at += 1
        spec = registry.by_module(name)
        self.layout.script = name
        return self._program(spec or SCRIPT)

    def _script(self) -> bool:
        name = PurePosixPath(self.words[self.at].text).name
        rest = self.words[self.at + 1 :]
        spec = registry.by_script(name, tuple(w.text for w in rest))
        if spec is None and not name.endswith(".py"):
            found = registry.by_program(name, self._texts(self.at + 1))
            spec = found[0] if found and found[0].role == "engine" else None  # python /usr/bin/vllm serve
        self.layout.script = self.words[self.at].text
        self.at += 1
        return self._program(spec or SCRIPT)

    def _program(self, spec: Spec) -> bool:
        for _ in range(2):  # `bench throughput` is two
            if self.at < len(self.words) and self.words[self.at].text in spec.subcommands:
                self.at += 1
        found = scan(self.layout.text, self.words, self.at, spec, self.variables)
        self.layout.scans.append(found)
        self.at = found.end
        self.layout.chooses_python = self.layout.chooses_python or spec.chooses_python
        self._place(found)
        if spec.role == "container":
            self._container(found)
        if spec.follow == "image":
            return self._image(found)
        if spec.follow == "script":
            return self._launched(found)
        if spec.follow == "command":
            return self._wrapped(found)
        return False

    def _wrapped(self, found: Scan) -> bool:
        spec = found.spec
        self.at += spec.skip
        texts = [w.text for w in self.words[self.at : self.at + 16]]
        if "--" in texts and (spec.barrier == "env" or texts[0] == "--"):
            self.at += texts.index("--") + 1
        self._environment(found)
        if self.at >= len(self.words):
            return False
        if spec.takes_line and self.at == len(self.words) - 1 and " " in self.words[self.at].text:
            return self._line()
        if spec.barrier and not (spec.environment == "filtered" and not self.layout.filtered_by):
            self._lose(spec.name, passed=frozenset(self.layout.kept))
            self.layout.barrier = Barrier(spec.barrier, self.words[self.at].start)
        self._assignments(moves_front=False)
        return True

    def _place(self, found: Scan) -> None:
        """Whether the shell's variables get through this program, and whether it is still this machine that runs it."""
        if found.spec.environment == "elsewhere":
            self.layout.elsewhere = self.layout.elsewhere or found.spec.name
        if found.spec.environment != "filtered":
            return
        kept = [hit.text for hit in found.hits if hit.option.field == "keeps_environment"]
        if "" not in kept:  # sudo -E keeps all
            self.layout.filtered_by = found.spec.name
            self.layout.kept = tuple(name for names in kept for name in names.split(","))

    def _environment(self, found: Scan) -> None:
        unset = dict.fromkeys(hit.text for hit in found.hits if hit.option.field == "unset")
        if unset:
            self.layout.unset.extend(unset)
            self.layout.assignments = [a for a in self.layout.assignments if a.name not in unset]
        for hit in found.hits:
            if hit.option.field == "clean_environment":
                self.layout.clean_environment = True
                self.layout.assignments.clear()
            elif hit.option.kind == "assign" and "=" in hit.text:
                name, _, text = hit.text.partition("=")
                word = self.words[hit.value]
                value = resolve(text, self.variables) if word.expands else text
                inline = hit.value == hit.name
                prefix = word.text[: len(word.text) - len(hit.text)] if inline else ""
                start = self.words[hit.name].start
                self.layout.assignments.append(Assignment(name, value, start, word.end, word.start, prefix))

    def _container(self, found: Scan) -> None:
        named = {h.text for h in found.hits if h.option.kind == "assign" and "=" not in h.text}
        self._lose(found.spec.name, frozenset(named))
        self._environment(found)
        if found.end < len(self.words):
            self.layout.barrier = Barrier("option", self.words[found.end].start)
        self.layout.in_container = True
        self.layout.interpreter = ""

    def _lose(self, program: str, passed: frozenset[str]) -> None:
        """Variables in front of a program that does not pass them on do not count."""
        self.layout.lost.extend((a.name, program) for a in self.layout.assignments if a.name not in passed)
        self.layout.assignments = [a for a in self.layout.assignments if a.name in passed]

    def _image(self, found: Scan) -> bool:
        if self.at >= len(self.words):
            return False
        word = self.words[self.at]
        self.layout.image = word.text
        self.layout.program = word.start
        self.at += 1
        entrypoint = next((h.text for h in found.hits if h.option.field == "container_entrypoint"), "")
        if entrypoint:
            return self._entrypoint(entrypoint)
        spec = registry.by_image(word.text)
        if spec is None:
            return True
        following = self.words[self.at].text if self.at < len(self.words) else ""
        if following and not following.startswith("-") and self._is_command(following):
            return True  # the image's own entrypoint passes a command on
        return self._program(spec)

    def _is_command(self, word: str) -> bool:
        name = PurePosixPath(word).name
        known = registry.by_program(name, self._texts(self.at + 1)) is not None
        return known or name in _SHELLS or registry.is_python(name)

    def _entrypoint(self, entrypoint: str) -> bool:
        name = PurePosixPath(entrypoint).name
        if name in _SHELLS:
            self.at -= 1
            return self._shell()
        if registry.is_python(name):
            self.at -= 1
            return self._python()
        found = registry.by_program(name, self._texts(self.at))
        return self._program(found[0]) if found else False

    def _launched(self, found: Scan) -> bool:
        """The script or module behind a launcher's options."""
        if self.at >= len(self.words):
            return False
        own = [w.text for w in self.words[found.start : found.end]]
        if "-m" in own or "--module" in own:
            return self._module_named("")
        if "--no-python" in own or "--no_python" in own:
            return True
        return self._script()

    def _assignments(self, *, moves_front: bool) -> None:
        while self.at < len(self.words):
            found = assignment_of(self.words[self.at], self.variables)
            if found is None:
                break
            self.layout.assignments.append(found)
            self.at += 1
            if moves_front and self.at < len(self.words):
                self.layout.front = self.words[self.at].start
