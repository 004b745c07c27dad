"""The interpreter behind a shim of pyenv: a shim is three shell scripts, and takes ten times as long as what it starts.

What pyenv would run is said only where that is certain: one version, named plainly, installed by pyenv itself, and no
hook that may choose another. Everything else is left to the shim. Source: pyenv 2.6 (pyenv-exec, pyenv-version-name).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from gpudoctor.host.access import Host, HostError
from gpudoctor.lazy_pattern import lazy_pattern

_SHIM = lazy_pattern(r"(.+)/shims/(python[0-9.]*)")
_VERSION = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNCERTAIN = ("PYENV_DIR", "PYENV_HOOK_PATH")
_HEAD_BYTES = 1024
_HOOKS = "pyenv.d/version-name"
_NOT_PLAIN = ("pyvenv.cfg", "conda-meta")  # pyenv-virtualenv has hooks for these


def behind_shim(files: Host, executable: str, env: Mapping[str, str]) -> str:
    """The interpreter that `executable` would start in the current folder; `executable` itself in any other case."""
    shim = _SHIM.fullmatch(executable)
    if shim is None or any(env.get(name) for name in _UNCERTAIN):
        return executable
    root, name = shim.groups()
    try:
        if not _is_shim(files, executable, root) or any(files.exists(folder) for folder in _hooks(files, root)):
            return executable
        version = env.get("PYENV_VERSION") or _version_of_file(files, root)
    except (HostError, OSError):
        return executable
    prefix = f"{root}/versions/{version}"
    if _VERSION.fullmatch(version) is None or any(files.exists(f"{prefix}/{sign}") for sign in _NOT_PLAIN):
        return executable
    interpreter = f"{prefix}/bin/{name}"
    return interpreter if files.may_run(interpreter) else executable


def _is_shim(files: Host, path: str, root: str) -> bool:
    head = files.read_at(path, 0, _HEAD_BYTES).decode("utf-8", "replace")
    return head.startswith("#!") and f'export PYENV_ROOT="{root}"\n' in head and '" exec "$program" "$@"' in head


def _hooks(files: Host, root: str) -> Iterator[str]:
    """Where a hook that chooses the version would lie."""
    yield from (f"{place}/{_HOOKS}" for place in (root, "/usr/local/etc", "/etc", "/usr/lib"))
    plugins = f"{root}/plugins"
    if files.exists(plugins):
        yield from (f"{plugins}/{name}/etc/{_HOOKS}" for name in files.list_dir(plugins))


def _version_of_file(files: Host, root: str) -> str:
    """What the nearest .python-version says, or the global version; "" where it names several. Raises OSError."""
    folder = os.getcwd()  # noqa: PTH109
    while True:
        path = f"{folder.rstrip('/')}/.python-version"
        if files.exists(path) or folder == "/":
            break
        folder = os.path.dirname(folder)  # noqa: PTH120
    text = files.read(path if files.exists(path) else f"{root}/version", _HEAD_BYTES).decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return lines[0].strip() if len(lines) == 1 else ""
