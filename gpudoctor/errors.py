"""Errors that carry what, where and what to do; the command line turns them into exit codes."""


class GpudoctorError(Exception):
    """Base of every expected error. `hint` is one line: what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(GpudoctorError):
    """The command line or an input file is wrong: exit 2."""


class InputFileError(UsageError):
    """A snapshot, rule or other file cannot be used; the message names the file and the place in it."""
