"""The process of a rank: what goes wrong is told by name before it ends."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from typing import Sequence

from .config import Config
from .worker import Worker

_ERROR_CHARS = 4000
_FRAMES = 6


def main(argv: Sequence[str], worker_class: type[Worker] = Worker) -> None:
    """Run one rank. A signal makes it write every thread's Python stack, even while it waits inside a library."""
    config = Config.parse(argv[1])
    pipe = config.pipe
    os.set_blocking(pipe, True)
    os.set_inheritable(pipe, False)
    faulthandler.enable(file=pipe)
    faulthandler.register(signal.SIGUSR1, file=pipe, all_threads=True)
    worker = worker_class(config, os.environ)
    status = 1
    try:
        worker.run()
        status = 0
    except BaseException as error:  # noqa: BLE001 - the border of the process: whatever it is, it is told
        kind, text = getattr(error, "kind", "exception"), str(error)[:_ERROR_CHARS]
        trace = "".join(traceback.format_tb(error.__traceback__)[-_FRAMES:])[:_ERROR_CHARS]
        worker.channel.tell("error", kind=kind, type=type(error).__name__, text=text, trace=trace)
        _confess(worker, kind, "%s: %s" % (type(error).__name__, text) if kind == "exception" else text)
    sys.stdout.flush()
    sys.stderr.flush()
    # Leaving by the front door would run destructors that wait for other ranks.
    os._exit(status)


def _confess(worker: Worker, kind: str, text: str) -> None:
    try:
        worker.confess(kind, text)
    except Exception:  # noqa: BLE001 - the store may be what is broken; all is told already
        pass


if __name__ == "__main__":
    main(sys.argv)
