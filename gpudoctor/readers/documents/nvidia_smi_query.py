"""`nvidia-smi --query-gpu=... --format=csv`, with its header or, where the command stands above, without."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpudoctor.model.fact import known
from gpudoctor.model.facts import Facts, NvidiaSmi
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._smi import smi_facts
from gpudoctor.readers.documents._text import MAX_LINE
from gpudoctor.readers.nvidia_smi_query import SOURCE, is_header, read_query

_DRIVER = re.compile(r"\d{3}\.\d{2,3}(?:\.\d{1,3})?")  # a query for the driver's version alone has no commas
_COMMAND = re.compile(r"--query-gpu[= ]([\w.,]{4,600})")
_MAX_GAP = 3  # between the command and what it prints


def _begins(line: str) -> bool:
    line = line[:MAX_LINE]
    return _COMMAND.search(line) is not None or is_header(line)


def _belongs(line: str, taken: int) -> bool:
    if "," in line or line.strip() == "driver_version" or _DRIVER.fullmatch(line[:MAX_LINE].strip()):
        return True
    return taken < _MAX_GAP and not line.strip()


def _read(lines: Sequence[str]) -> Facts:
    text = [line[:MAX_LINE].strip() for line in lines]
    query = read_query("\n".join(_with_header(text)))
    if query is None:
        return _driver_alone(text)
    return smi_facts(SOURCE, gpus=query.gpus, driver=query.driver_version or "", loaded=bool(query.gpus))


def _driver_alone(lines: Sequence[str]) -> Facts:
    """The answer to `--query-gpu=driver_version`, a line for each GPU."""
    asked = any((match := _COMMAND.search(line)) is not None and match.group(1) == "driver_version" for line in lines)
    version = next((line for line in lines if _DRIVER.fullmatch(line)), "") if asked else ""
    return Facts(nvidia_smi=NvidiaSmi(driver_version=known(version, SOURCE))) if version else Facts()


def _with_header(lines: list[str]) -> list[str]:
    """The fields of the command as a header, where none was printed."""
    if any(is_header(line) and not _COMMAND.search(line) for line in lines):
        return [line for line in lines if not _COMMAND.search(line)]  # its fields would pass for the header
    command = next((match for line in lines if (match := _COMMAND.search(line))), None)
    if command is None:
        return lines
    return [command.group(1), *(line for line in lines if not _COMMAND.search(line))]


DOCUMENT = Document(
    name="nvidia-smi --query-gpu",
    literals=("--query-gpu", "index, ", "index,", "name, ", "uuid, ", "pci.bus_id,", "driver_version,", "memory.total"),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=80,
)
