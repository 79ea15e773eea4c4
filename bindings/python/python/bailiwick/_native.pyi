from os import PathLike
from typing import List, Mapping, Optional, Protocol, Sequence, Tuple, Union, final

_Path = Union[str, PathLike[str]]

class _Readable(Protocol):
    def read(self, n: int, /) -> bytes: ...

class _Seekable(_Readable, Protocol):
    def seek(self, offset: int, whence: int, /) -> int: ...

class _Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...

__version__: str

__all__ = [
    "__version__",
    "OwnerKey",
    "OwnerPublic",
    "RecipientKey",
    "Recipient",
    "Sealed",
    "Opened",
    "Object",
    "Verdict",
    "seal",
    "seal_file",
    "seal_stream",
    "rewrap",
    "Place",
    "seal_value",
    "open_value",
    "seal_values",
    "open_values",
    "value_text",
    "value_from_text",
    "verify",
]

@final
class OwnerKey:
    """An owner's secret key: signs envelopes. Its bytes go into a key file and nowhere else."""

    @staticmethod
    def generate() -> OwnerKey: ...
    @staticmethod
    def load(path: _Path) -> OwnerKey: ...
    def save(self, path: _Path) -> None:
        """Writes a key file only this user can read, and ``path.pub`` beside it. Nothing is replaced."""
    @property
    def public(self) -> OwnerPublic: ...

@final
class OwnerPublic:
    """An owner's public key: what envelopes are checked against."""

    @staticmethod
    def load(path: _Path) -> OwnerPublic: ...
    @staticmethod
    def from_hex(digits: str) -> OwnerPublic: ...
    def hex(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def __bytes__(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class RecipientKey:
    """A recipient's secret key: opens objects. Its bytes go into a key file and nowhere else."""

    @staticmethod
    def generate(algorithm: str = "x-wing") -> RecipientKey:
        """A fresh key: ``x-wing`` (hybrid post-quantum), ``x25519`` or ``p256``."""
    @staticmethod
    def load(path: _Path) -> RecipientKey: ...
    def save(self, path: _Path) -> None:
        """Writes a key file only this user can read, and ``path.pub`` beside it. Nothing is replaced."""
    @property
    def public(self) -> Recipient: ...

@final
class Recipient:
    """A recipient's public key."""

    @staticmethod
    def load(path: _Path) -> Recipient: ...
    @staticmethod
    def from_bytes(algorithm: str, key: bytes) -> Recipient: ...
    @property
    def algorithm(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    def __bytes__(self) -> bytes: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__ = None  # type: ignore[assignment]

@final
class Sealed:
    """What sealing gave. Asking for a ``body`` that went to a file is an error."""

    @property
    def body(self) -> bytes: ...
    @property
    def envelope(self) -> bytes: ...
    @property
    def object(self) -> str: ...
    @property
    def data_bytes(self) -> int: ...
    @property
    def body_bytes(self) -> int: ...
    @property
    def blake3(self) -> str: ...

@final
class Opened:
    """What opening gave. Asking for ``data`` that went to a file is an error. Name and media type are text from outside."""

    @property
    def data(self) -> bytes: ...
    @property
    def name(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def data_bytes(self) -> int: ...

@final
class Object:
    """A verified envelope and the key it holds."""

    def __new__(cls, envelope: bytes, *, owner: OwnerPublic, keys: Sequence[RecipientKey]) -> Object: ...
    @property
    def name(self) -> str: ...
    @property
    def generation(self) -> int: ...
    @property
    def recipients(self) -> int: ...
    def open(self, body: bytes) -> Opened: ...
    def open_file(self, body: _Path, out: _Path) -> Opened:
        """``out`` appears only when all of the body was checked; an existing file is not replaced."""
    def open_stream(self, body: _Readable, out: _Writable) -> Opened:
        """``out`` holds what the owner sealed only when this returns."""
    def read_range(self, body: Union[bytes, _Path, _Seekable], offset: int, length: int) -> bytes:
        """Reads only the chunks the range lies in. Authentic among key holders: the owner, or anyone who can open."""

@final
class Verdict:
    """A judgement. ``exit_code`` 0: every claim the policy requires holds."""

    @property
    def holds(self) -> bool: ...
    @property
    def exit_code(self) -> int: ...
    @property
    def json(self) -> str: ...
    @property
    def text(self) -> str: ...

def seal(
    data: bytes,
    *,
    owner: OwnerKey,
    to: Sequence[Recipient],
    name: str = "",
    media_type: str = "",
    anonymous: bool = False,
    pad: bool = True,
) -> Sealed: ...
def seal_file(
    data: _Path,
    body: _Path,
    envelope: Optional[_Path] = None,
    *,
    owner: OwnerKey,
    to: Sequence[Recipient],
    name: Optional[str] = None,
    media_type: str = "",
    anonymous: bool = False,
    pad: bool = True,
) -> Sealed:
    """``envelope`` is ``body`` with ``.envelope`` appended unless given. Existing files are not replaced."""

def seal_stream(
    data: _Readable,
    body: _Writable,
    *,
    owner: OwnerKey,
    to: Sequence[Recipient],
    name: str = "",
    media_type: str = "",
    anonymous: bool = False,
    pad: bool = True,
) -> Sealed: ...
def rewrap(
    envelope: bytes,
    *,
    owner: OwnerKey,
    keys: Sequence[RecipientKey],
    add: Sequence[Recipient] = ...,
    remove: Sequence[Recipient] = ...,
    replace: Optional[Sequence[Recipient]] = None,
    anonymous: bool = False,
) -> Optional[bytes]:
    """The next generation of the envelope; ``None`` when nothing would change."""

@final
class Place:
    """Where a small value belongs: bound to it, and not in the sealed bytes."""

    def __new__(cls, chain: str, contract: str, function: str, record: str = "") -> Place: ...
    @property
    def chain(self) -> str: ...
    @property
    def contract(self) -> str: ...
    @property
    def function(self) -> str: ...
    @property
    def record(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def seal_value(
    value: bytes,
    *,
    place: Place,
    to: Sequence[Recipient],
    owner: Optional[OwnerKey] = None,
    pad_to: Optional[int] = None,
    committing: bool = False,
) -> bytes:
    """Up to 64 KiB for an argument of a transaction. Without ``owner`` anyone could have sealed it."""

def open_value(
    sealed: bytes, *, place: Place, keys: Sequence[RecipientKey], owner: Optional[OwnerPublic] = None
) -> bytes:
    """With ``owner`` it must carry that owner's signature; without, none."""

def seal_values(
    values: Sequence[Tuple[str, bytes]],
    *,
    place: Place,
    to: Sequence[Recipient],
    owner: Optional[OwnerKey] = None,
    pad_to: Optional[int] = None,
) -> Tuple[bytes, List[bytes]]:
    """Many values, each with its record, at the price of one: the batch's header, and the values in order."""

def open_values(
    header: bytes,
    values: Sequence[Tuple[str, bytes]],
    *,
    place: Place,
    keys: Sequence[RecipientKey],
    owner: Optional[OwnerPublic] = None,
) -> List[bytes]:
    """All or none; a value that comes twice is refused."""

def value_text(sealed: bytes) -> str:
    """For arguments that are texts: ``bwc1.`` and base64url. Bytes are given as they are."""

def value_from_text(text: str) -> bytes:
    """Of ``bwc1.`` and base64url, or ``0x`` and hexadecimal; in one spelling each."""

def verify(
    evidence: bytes,
    *,
    policy: str,
    anchors: str,
    keys: Union[Mapping[str, bytes], _Path],
    roster: Optional[bytes] = None,
    blocs: Optional[str] = None,
    now_ms: Optional[int] = None,
) -> Verdict:
    """Judges a bundle or a dossier offline. ``keys``: verifying keys by digest, or a folder of ``DIGEST.vk``."""
