"""The identity of a finding across runs: of the rule and its subject, never of text or measured numbers."""

from __future__ import annotations

from zlib import crc32


def fingerprint(rule_id: str, subject: str) -> str:
    """16 hexadecimal digits.

    Two checksums, not a digest: nobody gains from two findings that look alike, and hashlib loads OpenSSL, which takes
    longer than all findings of a run.
    """
    text = f"{rule_id}\n{subject}".encode()
    return f"{crc32(text):08x}{crc32(text[::-1]):08x}"
