"""What a network interface's name says of its kind. The kernel knows better where it can be asked."""

from __future__ import annotations

from gpudoctor.lazy_pattern import lazy_pattern

_DOCKER = lazy_pattern(r"docker|br-[0-9a-f]{12}$|veth|cni|cali|flannel|podman")
_VIRTUAL = lazy_pattern(r"virbr|vnet|dummy|ifb|tap|macvtap|vmnet|vboxnet|lxc|lxd")
_VPN = lazy_pattern(r"tun|wg|tailscale|ppp|ipsec|utun|zt|nebula")
_WIRED = lazy_pattern(r"eth|en[opsxPcw]?")
_BY_NAME = ((_DOCKER, "docker"), (_VIRTUAL, "virtual"), (_VPN, "vpn"), (_WIRED, "ethernet"))


def kind_by_name(name: str) -> str | None:
    """docker, virtual, vpn or ethernet; None where the name says nothing."""
    return next((found for pattern, found in _BY_NAME if pattern.match(name)), None)
