"""What users give and get, besides bytes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol, Union

from ._errors import InvalidType

BytesLike = Union[bytes, bytearray, memoryview]
"""Bytes in any of Python's forms. A `bytearray` or `memoryview` is copied before other threads run."""
Context = Mapping[str, str]
"""What a message belongs to: names and values that must be the same when it is decrypted. Not secret, not stored."""
Path = Union[str, "os.PathLike[str]"]
"""Where a file is."""
Passphrase = Union[str, Callable[[str], "str | None"], None]
"""The passphrase of a profile's files, or whoever knows it: called with a file's name, and only if a file has one."""
Progress = Callable[[int], object]
"""Told how many bytes are written. It ends the work by giving `False` (`Conflict`, code `cancelled`), or by raising."""


@dataclass(frozen=True)
class Message:
    """Bytes with a context of their own, for `encrypt_many` and `decrypt_many`."""

    data: BytesLike
    context: Context | None = None


class CustomerFragment(Protocol):
    """Where a customer fragment is kept, if it is not a file: a device, a service, another program.

    It is asked for HMAC-SHA256 of a message under the fragment, and never for the fragment itself. It is called from
    threads of its own, several at a time.
    """

    @property
    def id(self) -> bytes:
        """The fragment's id, 16 bytes: it stands in everything that is encrypted with it."""

    def evaluate(self, message: bytes, /) -> BytesLike:
        """Give HMAC-SHA256(fragment, message): 32 bytes. An exception becomes the cause of `Unavailable`."""


@dataclass(frozen=True)
class Profile:
    """Whose account a client works in, who it is, and how it reaches the servers: what a profile's file says."""

    account: str
    """The account's id, `symacct1…`."""
    root: Path
    """The file with the account's root document, as its owner gave it to you."""
    identity: Path
    """The file with the holder's identity."""
    access_manager: str | None = None
    """`host:port` of the access manager, where it isn't the one of the root document."""
    route: str = "auto"
    """How fragment managers are reached: `auto`, `relay` or `direct`."""
    key_file: Path | None = None
    """The file with the sealing key of those files that are sealed under one."""
    customer_fragments: Iterable[Path] = ()
    """Files with customer fragments: the first is for writing, all are for reading."""

    def _to_json(self) -> str:
        said = {
            "account": self.account,
            "root": _path(self.root, "root"),
            "identity": _path(self.identity, "identity"),
            "access-manager": self.access_manager,
            "route": self.route,
            "key-file": None if self.key_file is None else _path(self.key_file, "key_file"),
            "customer-fragments": [_path(file, "customer_fragments") for file in self.customer_fragments],
        }
        try:
            return json.dumps({name: value for name, value in said.items() if value is not None})
        except TypeError as error:
            raise InvalidType(f"the profile: {error}", code="wrong-type") from None


def _path(path: Path, name: str) -> str:
    try:
        return os.fsdecode(os.fspath(path))
    except TypeError:
        raise InvalidType(f"{name} must be a path, not {type(path).__name__}", code="wrong-type") from None


@dataclass(frozen=True)
class Header:
    """What a ciphertext says about itself. Nothing of it is proven before it is decrypted."""

    account: str
    """The account of its key."""
    key: str
    """The key."""
    version: int
    """The key's version, from 1."""
    suite: str
    """The key's suite, such as `ristretto255-SHA512`."""
    purpose: str
    """What the key is for: `data`, `data-key`, `wrap`."""
    writer: str
    """Who encrypted it."""
    created: datetime
    """When."""
    customer_fragment: str | None
    """The id of the customer fragment that took part."""
    chunk: int
    """How many bytes of plaintext are in a chunk."""
    context_pairs: int
    """How many context pairs it is bound to."""

    @classmethod
    def _of(cls, said: dict[str, Any]) -> Header:
        return cls(**{**said, "created": _time(said["created"])})


@dataclass(frozen=True)
class KeyVersion:
    """A version of a key. What is said of it comes from its certificate, which all members of its set signed."""

    version: int
    """Its number, from 1."""
    state: str
    """`pending`, `active`, `scheduled` (to be destroyed) or `destroyed`."""
    destroy_at: datetime | None
    """When it is or was to be destroyed."""
    certificate: KeyCertificate | None
    """What all members signed; nothing while it is being made."""

    @classmethod
    def _of(cls, said: dict[str, Any]) -> KeyVersion:
        certificate, destroy_at = said["certificate"], said["destroy_at"]
        return cls(
            version=said["version"],
            state=said["state"],
            destroy_at=None if destroy_at is None else _time(destroy_at),
            certificate=None if certificate is None else KeyCertificate._of(certificate),
        )


@dataclass(frozen=True)
class KeyCertificate:
    """What the fragment managers that hold a key version signed about it."""

    fingerprint: str
    """SHA-256 over the certificate with its signatures, hexadecimal."""
    suite: str
    """Such as `ristretto255-SHA512`."""
    threshold: int
    """How many fragments make an operation."""
    managers: tuple[str, ...]
    """The names of the fragment managers that hold one."""
    shared: bool
    """Whether its fragment set is a root that other keys share."""
    purpose: str
    """`data`, `data-key` or `wrap`."""
    customer_fragment: bool
    """Whether every use takes a customer fragment too."""
    ever_whole: bool
    """Whether the key existed whole at some time: only where it was imported."""
    created: datetime
    """When it was asked for."""
    set: str
    """The fragment set."""

    @classmethod
    def _of(cls, said: dict[str, Any]) -> KeyCertificate:
        return cls(**{**said, "managers": tuple(said["managers"]), "created": _time(said["created"])})


@dataclass(frozen=True)
class Key:
    """A key with its versions."""

    id: str
    """Its id: a path such as `shop/orders`."""
    state: str
    """`pending`, `active`, `disabled`, `scheduled` or `destroyed`."""
    labels: Mapping[str, str]
    """The operator's labels."""
    versions: tuple[KeyVersion, ...]
    """Its versions, newest first."""

    @property
    def newest(self) -> KeyVersion:
        """The version with the highest number."""
        return self.versions[0]

    @classmethod
    def _of(cls, said: dict[str, Any]) -> Key:
        return cls(**{**said, "versions": tuple(KeyVersion._of(version) for version in said["versions"])})


@dataclass(frozen=True)
class KeySummary:
    """A line of the list of keys, by the access manager's word."""

    id: str
    """Its id."""
    state: str
    """`pending`, `active`, `disabled`, `scheduled` or `destroyed`."""
    version: int
    """The newest version that has a certificate; 0 where none has."""
    suite: str
    """Such as `ristretto255-SHA512`."""
    purpose: str
    """`data`, `data-key` or `wrap`."""
    threshold: int
    """How many fragments make an operation."""
    of: int
    """How many fragment managers hold one."""
    customer_fragment: bool
    """Whether every use takes a customer fragment too."""
    created: datetime
    """When it was asked for."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The operator's labels."""

    @classmethod
    def _of(cls, said: dict[str, Any]) -> KeySummary:
        return cls(
            id=said["key"],
            state=said["state"],
            version=said["version"],
            suite=said["suite"],
            purpose=said["purpose"],
            threshold=said["t"],
            of=said["n"],
            customer_fragment=said["customer_fragment"],
            created=_time(said["created"]),
            labels=said["labels"],
        )


@dataclass(frozen=True)
class Server:
    """How a server is."""

    name: str
    """Its name in the roster."""
    time: datetime | None
    """What its clock reads, if it answers."""
    took: float | None
    """How many seconds it took to say so, a connection included; only of fragment managers."""
    problem: str | None
    """Why it can't be used."""

    @classmethod
    def _of(cls, said: dict[str, Any]) -> Server:
        return cls(**{**said, "time": None if said["time"] is None else _time(said["time"])})


@dataclass(frozen=True)
class Status:
    """How all servers of an account are."""

    access_manager: Server
    """The access manager."""
    managers: tuple[Server, ...]
    """The fragment managers that are not retired."""

    @classmethod
    def _of(cls, said: dict[str, Any]) -> Status:
        managers = tuple(Server._of(manager) for manager in said["managers"])
        return cls(Server._of(said["access_manager"]), managers)


@dataclass(frozen=True)
class Notice:
    """Something that an operation got around: worth telling, not an error. It is in the log as well."""

    manager: str
    """The fragment manager that it is about."""
    lied: bool
    """Whether it gave a wrong answer; else it couldn't be used."""
    message: str
    """For people."""


@dataclass(frozen=True)
class Holder:
    """Who a client is."""

    account: str
    """The account's id, `symacct1…`."""
    holder: str
    """The access id that the owner grants things to, `sym1…`."""


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
