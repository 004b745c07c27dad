"""`ibstat`, `ibv_devinfo`, `ibdev2netdev`, `rdma link`: RDMA ports and their state.

CA 'mlx5_0'
        Port 1:
                State: Active
                Rate: 200
                Link layer: InfiniBand
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Rdma, RdmaDevice
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import MAX_LINE

SOURCE = "ibstat"

_NAME = r"([A-Za-z][\w-]{1,30})"
_DEVICE = re.compile(rf"(?:CA '{_NAME}'|hca_id:\s{{1,10}}{_NAME})")
_PORT = re.compile(r"(?:Port (\d{1,3}):|port:\s{1,10}(\d{1,3}))")
_STATE = re.compile(r"(?:State: (\w{3,12})|state:\s{1,20}PORT_(\w{3,12}) \(\d\))")
_RATE = re.compile(r"Rate: (\d{1,5}(?:\.\d)?)")
_LAYER = re.compile(r"(?:Link layer:|link_layer:)\s{1,20}(InfiniBand|Ethernet)")
_NETDEV = re.compile(rf"{_NAME} port (\d{{1,3}}) ==> \S{{1,20}} \((Up|Down)\)")
_LINK = re.compile(rf"link {_NAME}/(\d{{1,3}}) state (\w{{3,12}}) physical_state .{{3,80}}")
_STATES = {"UP": "ACTIVE", "INITIALIZING": "INIT"}
_MAX_PORTS = 128


class _Port(Struct):
    name: str
    number: int
    state: str = ""
    layer: str = ""
    rate: float | None = None


def _begins(line: str) -> bool:
    text = line[:MAX_LINE].strip()
    return any(form.fullmatch(text) for form in (_DEVICE, _NETDEV, _LINK))


def _belongs(line: str, _taken: int) -> bool:
    return not line.strip() or line[:1] in " \t" or _begins(line)


def _read(lines: Sequence[str]) -> Facts:
    ports: dict[tuple[str, int], _Port] = {}
    name = ""
    last: _Port | None = None
    for line in lines:
        text = line[:MAX_LINE].strip()
        if device := _DEVICE.fullmatch(text):
            name, last = device.group(1) or device.group(2), None
        elif port := _PORT.fullmatch(text):
            last = _port(ports, name, int(port.group(1) or port.group(2)))
        elif last is not None:
            _detail(last, text)
        if short := _NETDEV.fullmatch(text) or _LINK.fullmatch(text):
            one = _port(ports, short.group(1), int(short.group(2)))
            one.state = one.state or _state(short.group(3))
    if not ports:
        return Facts()
    return Facts(rdma=Rdma(devices=known(tuple(map(_device, ports.values())), SOURCE)))


def _port(ports: dict[tuple[str, int], _Port], name: str, number: int) -> _Port:
    if len(ports) >= _MAX_PORTS and (name, number) not in ports:
        return _Port(name, number)
    return ports.setdefault((name, number), _Port(name, number))


def _detail(port: _Port, text: str) -> None:
    if state := _STATE.fullmatch(text):
        port.state = _state(state.group(1) or state.group(2))
    elif rate := _RATE.fullmatch(text):
        port.rate = float(rate.group(1))
    elif layer := _LAYER.fullmatch(text):
        port.layer = layer.group(1)


def _state(text: str) -> str:
    return _STATES.get(text.upper(), text.upper())


def _device(port: _Port) -> RdmaDevice:
    return RdmaDevice(
        name=port.name,
        port=port.number,
        state=known(port.state, SOURCE) if port.state else NOT_PROVIDED,
        link_layer=known(port.layer, SOURCE) if port.layer else NOT_PROVIDED,
        rate_gbps=known(port.rate, SOURCE) if port.rate is not None else NOT_PROVIDED,
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("CA '", "hca_id:", " ==> ", " physical_state "),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=2000,
)
