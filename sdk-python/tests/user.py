"""A program of a user's, for mypy. A line that is wrong says what is to be found there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from symbolon import AsyncClient, Client, DataKey, Denied, Key, Message, SymbolonError, inspect


class Device:
    """A customer fragment in a device."""

    id = bytes(16)

    def evaluate(self, message: bytes) -> bytes:
        return message[:32]


class NoDevice:
    """Something else."""


def waits(client: Client) -> bytes:
    sealed: bytes = client.encrypt(bytearray(b"x"), key="notes", context={"user": "42"})
    many: list[bytes] = client.encrypt_many([b"x", Message(b"y", {"a": "b"})], key="notes")
    client.encrypt_file(Path("a"), "b", key="notes", progress=lambda written: written < 10)
    key: DataKey = client.data_key("volumes")
    made: Key = client.keys.create("k", labels={"team": "storage"})
    created = made.newest.version + 1
    with client.open("file", "wb", key="notes") as writer:
        writer.write(key.seal(b"record"))
    with client.open("file") as reader:
        first: bytes = reader.read(10)
    account: str = inspect(sealed).account
    try:
        client.decrypt(memoryview(sealed))
    except Denied as error:
        print(error.code, error.retry_after, error.advice, account, created)
    except SymbolonError as error:
        raise SystemExit(error.kind) from error
    return first + many[0]


async def awaits(client: AsyncClient) -> bytes:
    async with client as opened:
        sealed = await opened.encrypt(b"x", key="notes")
        pieces = [piece async for piece in opened.decrypt_stream(source(sealed))]
        return b"".join(pieces)


async def source(sealed: bytes) -> AsyncIterator[bytes]:
    yield sealed


def wrong(client: Client, opened: AsyncClient) -> None:
    client.encrypt("text", key="notes")  # finds: arg-type
    client.encrypt(b"x")  # finds: call-arg
    client.encrypt(b"x", key="notes", context={"user": 42})  # finds: dict-item
    text: str = client.decrypt(b"x")  # finds: assignment
    client.open("file", "wb")  # finds: call-overload
    opened.decrypt(b"x")  # finds: unused-coroutine
    client.undo()  # finds: attr-defined
    print(text)


with Client.from_environment(passphrase="secret", customer_fragments=[Device()], deadline=5) as first:
    waits(first)
with Client.from_environment(customer_fragments=[NoDevice()]) as second:  # finds: list-item
    waits(second)
