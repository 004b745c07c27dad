"""The run in question: a launch command or gpudoctor's own flags → `Workload`; and a fix → that same command, changed.

The command is read, never run. `parse` → `ParsedCommand`; `combine` puts flags over it; `rewrite` makes the smallest
change of the command. One file of `frameworks/` describes one program.
"""

from gpudoctor.workload.errors import CommandError
from gpudoctor.workload.flags import Flags, combine, from_flags
from gpudoctor.workload.parse import ParsedCommand, parse
from gpudoctor.workload.rewrite import rewrite

__all__ = ["CommandError", "Flags", "ParsedCommand", "combine", "from_flags", "parse", "rewrite"]
