"""Build hook: the wheel brings the rules in their packed form too, so that no run has to parse them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PackRules(BuildHookInterface[BuilderConfig]):
    """Writes `packed.msgpack` into the folders of rules, which go into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's names
        """Called before the wheel is put together."""
        sys.path.insert(0, self.root)
        from gpudoctor.engine.load import pack_rules

        for folder in ("rules", "log_rules"):
            pack_rules(Path(self.root, folder))
