"""Where our own interpreter is the one under examination, it need not be started once more to describe itself.

Only where that would make no difference beyond doubt: the same executable of the same folder, the same environment,
no option of Python's that leaves something out, and a sys.path whose first entry is known to be there for us alone.
"""

from __future__ import annotations

import os
import sys

from gpudoctor.host.access import Host
from gpudoctor.host.probe import Request
from gpudoctor.readers.target_answer import Answer, parse

_OPTIONS = ("isolated", "ignore_environment", "no_user_site", "no_site", "safe_path")


def describe_ourselves(host: Host, request: Request, executable: str) -> Answer | None:
    """What describe.py would say under `executable`; None where only starting that can tell."""
    if not (host.live and _same_file(executable) and request.environment(host) == dict(os.environ)):
        return None
    if any(getattr(sys.flags, option, 0) for option in _OPTIONS) or not _starts_with_ours():
        return None
    from gpudoctor.probes._target import describe

    path = list(sys.path)
    try:
        del sys.path[0]
        describe.answer.clear()
        describe.describe()
        return parse("\n".join(describe.answer))
    finally:
        sys.path[:] = path


def _same_file(executable: str) -> bool:
    """In the same folder, because that decides about the environment: the python of a virtual one is a link."""
    if not sys.executable or os.path.dirname(executable) != os.path.dirname(sys.executable):  # noqa: PTH120
        return False
    return os.path.realpath(executable) == os.path.realpath(sys.executable)


def _starts_with_ours() -> bool:
    """Whether the first entry of sys.path is the folder of the script that was started, or that of `python -m`."""
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", None)
    if name == "gpudoctor.__main__":
        return os.path.isabs(sys.path[0])  # noqa: PTH117
    script = getattr(main, "__file__", None)
    if name is not None or not script or os.path.basename(script) != "gpudoctor":  # noqa: PTH119
        return False
    return os.path.samefile(sys.path[0], os.path.dirname(os.path.realpath(script)))  # noqa: PTH120, PTH121
