"""The config.json of a model that is a local folder."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from gpudoctor.host.access import Host, HostError
from gpudoctor.model.fact import absent, known
from gpudoctor.model.facts import Workload

_MAX_CONFIG_BYTES = 256 << 10


def with_model_config(host: Host, workload: Workload) -> Workload:
    """The workload with it, where its model is one."""
    model = workload.model.or_none()
    if not model or not model.startswith(("/", "./", "../", "~")):
        return workload
    try:
        folder = str(Path(model).expanduser().absolute())
    except (OSError, RuntimeError) as error:  # the current folder is gone; nobody knows this ~user
        return replace(workload, model_config=absent("failed", str(error), "config.json"))
    try:
        text = host.read(f"{folder}/config.json", _MAX_CONFIG_BYTES).decode("utf-8", "replace")
    except HostError as error:
        return replace(workload, model_config=error.fact("config.json"))
    return replace(workload, model_config=known(text, "config.json"))
