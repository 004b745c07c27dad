"""A command that is passed through loses nothing of what it says."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from gpudoctor.host.supervise import Supervised


def test_what_is_said_with_the_last_breath_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    looked: list[float] = []
    take = Supervised._take

    def too_early(supervised: Supervised, woken: socket.socket, timeout_s: float) -> bool:
        """The first look finds nothing; then the command speaks and ends, before anybody asks whether it has."""
        looked.append(timeout_s)
        if len(looked) == 1:
            time.sleep(1.0)
            return False
        return take(supervised, woken, timeout_s)

    monkeypatch.setattr(Supervised, "_take", too_early)
    heard: list[bytes] = []
    command = (sys.executable, "-c", "print('out')")
    ended = Supervised(command, said=heard.append, tick=lambda _: None, tick_s=5.0).run()
    assert (ended.status, b"".join(heard), capfd.readouterr().out) == (0, b"out\n", "out\n")
