"""Errors. Every one is an :class:`Error` and carries a ``code`` that stays the same in every later version."""

from __future__ import annotations

from typing import Dict, Type


class Error(Exception):
    """What everything here fails with."""

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return type(self), (self.code, str(self))


class ArgumentError(Error, ValueError):
    """An argument that makes no sense."""


class IoError(Error):
    """Reading or writing a path failed. (What a file object of yours raised comes out as it was.)"""


class KeyFileError(Error):
    """Not a key file, or of another kind, or readable by others; or bytes that are no key."""


class EnvelopeError(Error):
    """The envelope is malformed, or not signed by the owner whose key was given."""


class NoRecipientError(Error):
    """None of the keys is a recipient of the object."""


class NotAuthenticError(Error):
    """The body is another one, or was changed, cut short, lengthened or rewritten."""


class RangeError(Error, ValueError):
    """The range does not lie in the data."""


class RewrapError(Error):
    """The envelope cannot be rewritten so."""


class UnusableError(Error):
    """Evidence, policy or trust anchors that cannot be judged at all."""


_CLASSES: Dict[str, Type[Error]] = {
    "argument": ArgumentError,
    "recipients": ArgumentError,
    "too-large": ArgumentError,
    "io": IoError,
    "key-file": KeyFileError,
    "key": KeyFileError,
    "envelope": EnvelopeError,
    "no-recipient": NoRecipientError,
    "wrong-body": NotAuthenticError,
    "not-authentic": NotAuthenticError,
    "malformed": NotAuthenticError,
    "range": RangeError,
    "rewrap": RewrapError,
    "unusable": UnusableError,
}


def from_code(code: str, message: str) -> Error:
    """The error of a code; an :class:`Error` itself for one without a class of its own."""
    return _CLASSES.get(code, Error)(code, message)
