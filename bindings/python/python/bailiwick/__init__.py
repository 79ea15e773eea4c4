"""Seal, open and verify: data residency with evidence. See README.md."""

# `as`: exported, to checkers of types too.
from ._errors import (
    ArgumentError as ArgumentError,
    EnvelopeError as EnvelopeError,
    Error as Error,
    IoError as IoError,
    KeyFileError as KeyFileError,
    NoRecipientError as NoRecipientError,
    NotAuthenticError as NotAuthenticError,
    RangeError as RangeError,
    RewrapError as RewrapError,
    UnusableError as UnusableError,
)
from ._native import (
    Object as Object,
    Opened as Opened,
    OwnerKey as OwnerKey,
    OwnerPublic as OwnerPublic,
    Place as Place,
    Recipient as Recipient,
    RecipientKey as RecipientKey,
    Sealed as Sealed,
    Verdict as Verdict,
    __version__ as __version__,
    open_value as open_value,
    open_values as open_values,
    rewrap as rewrap,
    seal as seal,
    seal_file as seal_file,
    seal_stream as seal_stream,
    seal_value as seal_value,
    seal_values as seal_values,
    value_from_text as value_from_text,
    value_text as value_text,
    verify as verify,
)
