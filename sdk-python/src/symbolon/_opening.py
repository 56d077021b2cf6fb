"""Making the native client, of which `Client` and `AsyncClient` are two faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _native
from ._errors import InvalidType
from ._values import Message, Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._values import BytesLike, Context, CustomerFragment, Passphrase, Path


def of_environment(
    passphrase: Passphrase, customer_fragments: Iterable[CustomerFragment], deadline: float | None
) -> _native.Client:
    return of_file(_native.locate(), passphrase, customer_fragments, deadline)


def of_file(
    file: Path,
    passphrase: Passphrase,
    customer_fragments: Iterable[CustomerFragment],
    deadline: float | None,
) -> _native.Client:
    return _native.Client.of_file(file, _unlock(passphrase), _keepers(customer_fragments), deadline)


def of_profile(
    profile: Profile,
    passphrase: Passphrase,
    customer_fragments: Iterable[CustomerFragment],
    deadline: float | None,
) -> _native.Client:
    if not isinstance(profile, Profile):
        raise InvalidType(f"profile must be a Profile, not {type(profile).__name__}", code="wrong-type")
    said = profile._to_json()
    return _native.Client.of_profile(said, _unlock(passphrase), _keepers(customer_fragments), deadline)


def pairs(messages: Iterable[BytesLike | Message], context: Context | None) -> list[tuple[BytesLike, Context | None]]:
    """Give each message its context: its own, or else the one of the call."""
    if isinstance(messages, (str, bytes, bytearray, memoryview)):
        raise InvalidType("messages must be many, not one", code="wrong-type")
    return [
        (message.data, context if message.context is None else message.context)
        if isinstance(message, Message)
        else (message, context)
        for message in messages
    ]


def _unlock(passphrase: Passphrase) -> Callable[[str], str | None] | None:
    if passphrase is None or callable(passphrase):
        return passphrase
    if not isinstance(passphrase, str):
        # Its type is told, and nothing else of it.
        kind = type(passphrase).__name__
        raise InvalidType(f"passphrase must be a str or callable, not {kind}", code="wrong-type")
    return lambda _: passphrase


def _keepers(
    customer_fragments: Iterable[CustomerFragment],
) -> list[tuple[bytes, Callable[[bytes], BytesLike]]]:
    return [(fragment.id, fragment.evaluate) for fragment in customer_fragments]
