"""One rank of the smoke run; this folder is all that the interpreter under examination needs.

    RANK=0 WORLD_SIZE=2 LOCAL_RANK=0 MASTER_ADDR=127.0.0.1 MASTER_PORT=29500 python _target '{"pipe": 5, ...}'

Before each phase and each collective a rank writes a line of JSON to the inherited pipe, so that whoever started it
knows where it is when it hangs or dies.
"""

from __future__ import annotations

import runpy

runpy.run_module("gpudoctor_worker.main", run_name="__main__", alter_sys=True)
