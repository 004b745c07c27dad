"""Types of torch. It is the examined interpreter's, of whatever version: nothing is known of them here."""

from __future__ import annotations

from typing import Any

Torch = Any
Dist = Any
Device = Any
Properties = Any
Store = Any
Tensor = Any
