"""Containers of a compose file or a manifest, as the `docker run` that they amount to."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts
from gpudoctor.readers.documents._text import size_bytes
from gpudoctor.readers.documents._yaml_lines import Entry, flow_list
from gpudoctor.readers.documents.launch_command import command_facts

_GPU_KEYS = ("nvidia.com/gpu", "nvidia.com/gpu.shared", "gpus")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{1,80}")
_SHM = "/dev/shm"  # noqa: S108 - the mount that is asked for
_MAX_CONTAINERS = 16
_MAX_WORDS = 200
_BLOCK = re.compile(r"[|>][+-]?\d?")


class Container(Struct):
    """What one container asks for. `shm` is a size as written, "" for none asked for, "memory" without a limit."""

    kubernetes: bool = False
    whole: bool = False
    image: str = ""
    shm: str = ""
    ipc: str = ""
    gpus: str = ""  # all, a number, or device=0,1
    runtime: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


class _Reader(Struct):
    """Walks through the lines; what stands where is told by the keys above, as far as indents go."""

    kubernetes: bool = False
    containers: list[Container] = field(default_factory=list)
    heads: set[str] = field(default_factory=set)  # lines that only whole files have
    host_ipc: bool = False
    shm: str = ""  # of a manifest's volume
    shm_volume: str = ""
    volumes: dict[str, str] = field(default_factory=dict)
    _path: list[tuple[int, str]] = field(default_factory=list)
    _variable: str = ""
    _mount: str = ""
    _volume: str = ""

    def entry(self, entry: Entry) -> None:
        """One line."""
        while self._path and self._path[-1][0] >= entry.indent and (entry.key or entry.item):
            self._path.pop()
        above = self._path[-1][1] if self._path else ""
        if entry.key:
            self._key(entry, above)
            self._path.append((entry.indent, entry.key))
        else:
            self._item(entry.value, above)

    def _key(self, entry: Entry, above: str) -> None:
        key, value = entry.key, entry.value
        if key in ("apiVersion", "kind", "containers", "hostIPC"):
            self.kubernetes = True
        if key in ("services", "kind", "containers"):
            self.heads.add(key)
        if key == "hostIPC":
            self.host_ipc = value == "true"
        elif key == "image":
            if len(self.containers) < _MAX_CONTAINERS and not self._fresh():
                self.containers.append(Container())
            self._current().image = value
        elif key in ("command", "args", "entrypoint"):
            self._words(key, value)
        elif above in ("environment", "env") or key in ("name", "value"):
            self._named(key, value, above)
        elif key in ("mountPath", "medium", "sizeLimit"):
            self._volume_key(key, value)
        else:
            self._plain(key, value, above)

    def _fresh(self) -> bool:
        """Whether the last container has no image yet: in a snippet other keys may come before it."""
        return bool(self.containers) and not self.containers[-1].image

    def _current(self) -> Container:
        if not self.containers:
            self.containers.append(Container())
        return self.containers[-1]

    def _plain(self, key: str, value: str, above: str) -> None:
        if key == "shm_size":
            self._current().shm = value
        elif key in ("ipc", "runtime") and value:
            setattr(self._current(), key, value)
        elif value and (key in _GPU_KEYS or (above == "devices" and key == "count")):
            self._current().gpus = value
        elif key == "device_ids":
            listed = flow_list(value) or []
            if listed:
                self._current().gpus = f"device={','.join(listed)}"
        elif key == "driver" and value == "nvidia" and not self._current().gpus:
            self._current().gpus = "all"

    def _named(self, key: str, value: str, above: str) -> None:
        """Variables and mounts: `NAME: value`, or `name:` and `value:` in two lines."""
        if key == "name":
            self._variable, self._volume = value, value
        elif key == "value":
            if _NAME.fullmatch(self._variable):
                self._current().environment[self._variable] = value
        elif above in ("environment", "env") and _NAME.fullmatch(key):
            self._current().environment[key] = value

    def _volume_key(self, key: str, value: str) -> None:
        if key == "mountPath" and value == _SHM:
            self.shm_volume = self._volume
            self.shm = self.shm or "memory"
        elif key == "sizeLimit":
            self.volumes[self._volume] = value
        elif key == "medium":
            self.volumes.setdefault(self._volume, "memory")

    def _words(self, key: str, value: str) -> None:
        listed = flow_list(value)
        words = listed if listed is not None else ([] if _BLOCK.fullmatch(value) or value in ("", "[") else [value])
        target = self._target(key)
        target.clear()
        target += words

    def _target(self, key: str) -> list[str]:
        """Kubernetes' `command` is the entrypoint, its `args` are what compose calls the command."""
        container = self._current()
        entry = key == "entrypoint" or (key == "command" and self.kubernetes)
        return container.entrypoint if entry else container.command

    def _item(self, value: str, above: str) -> None:
        if above in ("command", "args", "entrypoint"):
            target = self._target(above)
            if len(target) < _MAX_WORDS:
                target += flow_list(f"[{value.rstrip(', ]')}]") or [] if value[:1] in "\"'[]" else [value]
        elif above in ("environment", "env"):
            name, equals, text = value.partition("=")
            if equals and _NAME.fullmatch(name):
                self._current().environment[name] = text
        elif above == "device_ids":
            listed = self._current().gpus.removeprefix("device=") if self._current().gpus.startswith("device=") else ""
            self._current().gpus = f"device={listed},{value}" if listed else f"device={value}"
        elif value.split(":")[-2:-1] == [_SHM] or value.startswith(f"{_SHM}:"):
            self._current().ipc = self._current().ipc or "host"  # the machine's own mount


def read_containers(lines: Sequence[Entry]) -> list[Container]:
    """Every container, in order."""
    reader = _Reader()
    for line in lines:
        reader.entry(line)
    if reader.shm and not reader.containers:
        reader.containers.append(Container())
    for container in reader.containers:
        container.kubernetes = reader.kubernetes
        container.whole = reader.heads in ({"services"}, {"kind", "containers"})
        if reader.kubernetes and reader.host_ipc:
            container.ipc = "host"
        if reader.shm:
            container.shm = reader.volumes.get(reader.shm_volume, "memory")
    return reader.containers


def container_facts(container: Container, source: str) -> Facts:
    """As if somebody had typed the `docker run`; the command itself is nobody's, and left out.

    What a snippet does not ask for may stand in the part that was cut off.
    """
    facts = command_facts(shlex.join(_docker_run(container)), source)
    workload = replace(facts.workload, command=NOT_PROVIDED)
    shm = size_bytes(container.shm.lower().removesuffix("b").removesuffix("i")) if container.shm else None
    if container.shm or not container.whole:
        workload = replace(workload, container_shm_bytes=known(shm, source) if shm else NOT_PROVIDED)
    # Whoever knows the container takes it that it asks for no GPU where none is mentioned.
    if not container.image or not (container.whole or container.gpus or container.runtime):
        workload = replace(workload, container=NOT_PROVIDED)
    kind = known("kubernetes" if container.kubernetes else "docker", source)
    virtualization = replace(facts.virtualization, container=kind if container.image else NOT_PROVIDED)
    return replace(facts, workload=workload, virtualization=virtualization)


def _docker_run(container: Container) -> Iterator[str]:
    yield from ("docker", "run")
    if container.gpus:
        yield from ("--gpus", container.gpus)
    if container.runtime:
        yield from ("--runtime", container.runtime)
    if container.ipc:
        yield from ("--ipc", container.ipc)
    for name, value in container.environment.items():
        yield from ("-e", f"{name}={value}")
    yield container.image or "image"
    entrypoint = _split(container.entrypoint)
    yield from entrypoint
    # What a shell gets with -c is one word, whatever is in it.
    yield from container.command if entrypoint[-1:] in (["-c"], ["-lc"]) else _split(container.command)


def _split(words: Sequence[str]) -> list[str]:
    """A command in one text is a shell's line; list items are words, unless they hold an option and its value."""
    split: list[str] = []
    for word in words:
        try:
            parts = shlex.split(word) if " " in word and (len(words) == 1 or word.startswith("-")) else [word]
        except ValueError:
            parts = word.split()
        split += parts
    return split[:_MAX_WORDS]
