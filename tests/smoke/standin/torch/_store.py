"""A key-value store over TCP: rank 0 serves, as in torch."""

from __future__ import annotations

import errno
import pickle
import socket
import struct
import threading
import time
from typing import Any

_CONNECT_S = 20.0


class TCPStore:
    """Keys and values as bytes; a value that is not there yet is waited for."""

    def __init__(self, host: str, port: int, _: int = 0, is_master: bool = False, **__: Any) -> None:
        if is_master:
            _serve(host, port)
        self._lock = threading.Lock()
        self._socket = _connect(host, port)

    def set(self, key: str, value: str | bytes) -> None:
        """Put."""
        self._ask("set", key, value.encode() if isinstance(value, str) else value)

    def get(self, key: str) -> bytes:
        """Take, as soon as it is there."""
        pause = 0.0005
        while True:
            value = self._ask("get", key)
            if value is not None:
                found: bytes = value
                return found
            time.sleep(pause)
            pause = min(0.01, pause * 1.5)

    def check(self, keys: list[str]) -> bool:
        """Whether all are there."""
        return all(self._ask("get", key) is not None for key in keys)

    def _ask(self, *request: Any) -> Any:
        with self._lock:
            _send(self._socket, request)
            return _receive(self._socket)


class PrefixStore:
    """The same under a prefix."""

    def __init__(self, prefix: str, store: Any) -> None:
        self._prefix = prefix
        self._store = store

    def set(self, key: str, value: str | bytes) -> None:
        """Put."""
        self._store.set(f"{self._prefix}/{key}", value)

    def get(self, key: str) -> bytes:
        """Take."""
        value: bytes = self._store.get(f"{self._prefix}/{key}")
        return value

    def check(self, keys: list[str]) -> bool:
        """Whether all are there."""
        there: bool = self._store.check([f"{self._prefix}/{key}" for key in keys])
        return there


def _serve(host: str, port: int) -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        text = f"The server socket has failed to bind to {host}:{port} (errno: {error.errno} - Address already in use)."
        raise RuntimeError(text if error.errno == errno.EADDRINUSE else str(error)) from error
    listener.listen(256)
    values: dict[str, bytes] = {}
    threading.Thread(target=_accept, args=(listener, values), daemon=True).start()


class DistNetworkError(RuntimeError):
    """As torch names it, in words that torch 2.13 was seen to use."""


def _accept(listener: socket.socket, values: dict[str, bytes]) -> None:
    while True:
        one, _ = listener.accept()
        threading.Thread(target=_answer, args=(one, values), daemon=True).start()


def _answer(one: socket.socket, values: dict[str, bytes]) -> None:
    try:
        while True:
            what, key, *value = _receive(one)
            if what == "set":
                values[key] = value[0]
            _send(one, values.get(key))
    except (OSError, DistNetworkError):
        one.close()


def _connect(host: str, port: int) -> socket.socket:
    deadline = time.monotonic() + _CONNECT_S
    one = socket.socket()
    while one.connect_ex((host, port)):
        if time.monotonic() > deadline:
            raise TimeoutError(f"The client socket has timed out while trying to connect to ({host}, {port}).")
        one.close()
        time.sleep(0.02)
        one = socket.socket()
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def _send(one: socket.socket, what: Any) -> None:
    data = pickle.dumps(what)
    one.sendall(struct.pack("!I", len(data)) + data)


def _receive(one: socket.socket) -> Any:
    size = struct.unpack("!I", _exactly(one, 4))[0]
    return pickle.loads(_exactly(one, size))  # noqa: S301 - between the ranks of one test


def _exactly(one: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = one.recv(size - len(parts))
        if not part:
            raise DistNetworkError(
                "Failed to recv, got 0 bytes. Connection was likely closed. Did the remote server shutdown or crash?"
            )
        parts += part
    return bytes(parts)
