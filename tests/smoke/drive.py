"""The command line of gpudoctor with another worker file: what the ranks run is the only difference."""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path

from gpudoctor.cli.main import main
from gpudoctor.smoke.plan import Plan

if __name__ == "__main__":
    # The default of a dataclass field lives in the defaults of its __init__.
    names = [field.name for field in fields(Plan)]
    defaults = list(Plan.__init__.__defaults__ or ())
    defaults[names.index("worker") - len(names)] = Path(os.environ["WORKER_FILE"])
    Plan.__init__.__defaults__ = tuple(defaults)
    sys.argv[0] = "gpudoctor"
    main()
