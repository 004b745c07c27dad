"""`ip a`, `ip -br a`, `ifconfig` and the default route. Addresses become kinds: nobody's number is kept.

2: eno1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    inet 10.0.0.7/24 brd 10.0.0.255 scope global eno1
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from gpudoctor.model.fact import NOT_PROVIDED, known
from gpudoctor.model.facts import Facts, Interface, Network
from gpudoctor.readers.document import Document
from gpudoctor.readers.documents._text import MAX_LINE
from gpudoctor.readers.interface_names import kind_by_name

SOURCE = "ip a"

_NAME = r"([A-Za-z][\w.+-]{0,14})(?:@[\w.+-]{1,15})?"
_IP = re.compile(rf"\d{{1,4}}: {_NAME}: <([A-Z_,-]{{0,120}})> mtu (\d{{2,6}})")
_BRIEF = re.compile(rf"{_NAME}[ \t]{{1,20}}(UP|DOWN|UNKNOWN)(?:[ \t]{{1,40}}(\S.{{0,600}}))?")
_IFCONFIG = re.compile(rf"{_NAME}: flags=\d{{1,6}}<([A-Z_,-]{{0,120}})>  mtu (\d{{2,6}})")
_OLD_IFCONFIG = re.compile(rf"{_NAME} {{2,12}}Link encap:(\S{{2,20}})")
_ADDRESS = re.compile(r"(inet6?)(?: addr)?[: ] {0,2}([0-9A-Fa-f:.]{3,45})")
_ROUTE = re.compile(r"default (?:via \S{3,45} )?dev ([A-Za-z][\w.+-]{0,14})(?: .{0,200})?")
_BRIEF_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{3,45}/\d{1,3}")
_MAX_INTERFACES = 64


class _Seen(Struct):
    name: str
    up: bool | None = None
    mtu: int | None = None
    kind: str = ""
    ipv4: bool = False
    ipv6: bool = False


def _header(text: str) -> _Seen | None:
    match = _IP.match(text) or _IFCONFIG.match(text)
    if match is not None:
        flags = match.group(2).split(",")
        carrier = "NO-CARRIER" not in flags and ("LOWER_UP" in flags or "RUNNING" in flags or "LOOPBACK" in flags)
        return _Seen(match.group(1), "UP" in flags and carrier, int(match.group(3)), _kind(match.group(1), flags))
    old = _OLD_IFCONFIG.match(text)
    return _Seen(old.group(1), kind=_kind(old.group(1), [old.group(2).upper()])) if old is not None else None


def _kind(name: str, flags: Sequence[str]) -> str:
    if name == "lo" or "LOOPBACK" in flags:
        return "loopback"
    if name.startswith("ib") or "INFINIBAND" in flags:
        return "infiniband"
    if name.startswith("bond") or "MASTER" in flags:
        return "bond"
    if name.startswith("wl"):
        return "wireless"
    return kind_by_name(name) or ""


def _brief(text: str) -> _Seen | None:
    match = _BRIEF.fullmatch(text)
    if match is None:
        return None
    addresses = _BRIEF_ADDRESS.findall(match.group(3) or "")
    if not addresses and (match.group(3) or not kind_by_name(match.group(1))):
        return None
    seen = _Seen(match.group(1), match.group(2) != "DOWN", kind=_kind(match.group(1), ()))
    for address in addresses:
        _add(seen, "inet6" if ":" in address else "inet", address)
    return seen


def _add(seen: _Seen, family: str, address: str) -> None:
    if family == "inet":
        seen.ipv4 = True
    elif not address.lower().startswith(("fe80", "::1")):
        seen.ipv6 = True


def _begins(line: str) -> bool:
    text = line[:MAX_LINE].strip()
    return _header(text) is not None or _brief(text) is not None or _ROUTE.fullmatch(text) is not None


def _belongs(line: str, _taken: int) -> bool:
    return not line.strip() or line[:1] in " \t" or _begins(line)


def _read(lines: Sequence[str]) -> Facts:
    found: dict[str, _Seen] = {}
    route = ""
    last: _Seen | None = None
    for line in lines:
        text = line[:MAX_LINE].strip()
        seen = _header(text) or _brief(text)
        if seen is not None:
            last = found.setdefault(seen.name, seen) if len(found) < _MAX_INTERFACES else None
        elif match := _ROUTE.fullmatch(text):
            route = route or match.group(1)
        elif last is not None:
            _detail(last, text)
    listed = tuple(_interface(seen) for seen in found.values() if seen.ipv4 or seen.ipv6)
    return Facts(
        network=Network(
            interfaces=known(listed, SOURCE) if listed else NOT_PROVIDED,
            default_route=known(route, SOURCE) if route else NOT_PROVIDED,
        )
    )


def _detail(seen: _Seen, text: str) -> None:
    address = _ADDRESS.match(text)
    if address is not None:
        _add(seen, address.group(1), address.group(2))
    elif text.startswith("link/infiniband"):
        seen.kind = "infiniband"
    elif text.startswith("UP ") and seen.up is None:
        seen.up = " RUNNING" in text


def _interface(seen: _Seen) -> Interface:
    return Interface(
        name=seen.name,
        kind=known(seen.kind, SOURCE) if seen.kind else NOT_PROVIDED,
        up=known(seen.up, SOURCE) if seen.up is not None else NOT_PROVIDED,
        ipv4=known(seen.ipv4, SOURCE),
        ipv6=known(seen.ipv6, SOURCE),
        mtu=known(seen.mtu, SOURCE) if seen.mtu is not None else NOT_PROVIDED,
    )


DOCUMENT = Document(
    name=SOURCE,
    literals=("> mtu ", ">  mtu ", "Link encap:", " UP  ", " DOWN  ", " UNKNOWN  ", "default via ", "default dev "),
    begins=_begins,
    belongs=_belongs,
    read=_read,
    max_lines=600,
)
