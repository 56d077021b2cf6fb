"""A customer fragment that a program keeps: what it raises, what it gives, and who opens what it helped to make."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from deployment import Deployment
from scenario import FragmentOfCallback
from symbolon import AsyncClient, Bug, Client, Invalid, InvalidType, NotFound, Unavailable
from symbolon._native import PanicException

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Guarded:
    """A deployment with a key that asks for a customer fragment, which a profile has and another doesn't."""

    def __init__(self, deployment: Deployment) -> None:
        self.plain = deployment.directory / "without.toml"
        self.plain.write_text(deployment.profile.read_text())
        deployment.cli("customer-fragment", "create", "--plain")
        deployment.cli("key", "create", "guarded", "--customer-fragment")
        self.profile = deployment.profile
        self.file = next(deployment.directory.glob("customer-fragment*"))


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    deployment = Deployment()
    yield Guarded(deployment)
    deployment.close()


def of(guarded: Guarded, fragment: object) -> Client:
    return Client.from_file(guarded.plain, customer_fragments=[fragment])  # type: ignore[list-item]


class Other(FragmentOfCallback):
    """The same fragment, kept by code that does something else."""

    def __init__(self, file: Path, does: Any) -> None:  # noqa: ANN401
        super().__init__(file, None)
        self.does = does

    def evaluate(self, message: bytes) -> Any:  # noqa: ANN401
        return self.does(super().evaluate(message))


def test_both_ways_of_keeping_it_open_the_same(guarded: Guarded) -> None:
    with (
        of(guarded, FragmentOfCallback(guarded.file, None)) as calling,
        Client.from_file(guarded.profile) as reading,
        Client.from_file(guarded.plain) as without,
    ):
        sealed = calling.encrypt(b"x", key="guarded")
        assert reading.decrypt(sealed) == b"x"
        assert calling.decrypt(reading.encrypt(b"y", key="guarded")) == b"y"
        assert calling.decrypt_many(calling.encrypt_many([b"z"] * 100, key="guarded")) == [b"z"] * 100
        with pytest.raises(NotFound):
            without.decrypt(sealed)


def test_it_is_called_in_threads_of_its_own(guarded: Guarded) -> None:
    threads: set[int] = set()

    def note(value: bytes) -> bytearray:
        threads.add(threading.get_ident())
        return bytearray(value)

    async def work() -> bytes:
        fragment = Other(guarded.file, note)
        async with AsyncClient.from_file(guarded.plain, customer_fragments=[fragment]) as client:
            return await client.decrypt(await client.encrypt(b"x", key="guarded"))

    assert asyncio.run(work()) == b"x"
    assert threads
    assert threading.get_ident() not in threads


def test_what_it_raises_is_the_cause(guarded: Guarded) -> None:
    raised = LookupError("the device is away")

    def away(_: bytes) -> bytes:
        raise raised

    fragment = Other(guarded.file, away)
    with of(guarded, fragment) as client:
        with pytest.raises(Unavailable) as refusal:
            client.encrypt(b"x", key="guarded")
        assert refusal.value.__cause__ is raised
        fragment.does = bytes
        assert client.decrypt(client.encrypt(b"x", key="guarded")) == b"x"


def test_what_ends_the_program_ends_the_call(guarded: Guarded) -> None:
    def interrupt(_: bytes) -> bytes:
        raise KeyboardInterrupt

    with of(guarded, Other(guarded.file, interrupt)) as client, pytest.raises(KeyboardInterrupt):
        client.encrypt(b"x", key="guarded")


@pytest.mark.parametrize("wrong", [None, "text", 1, [1] * 32])
def test_what_it_gives_must_be_bytes(guarded: Guarded, wrong: object) -> None:
    with of(guarded, Other(guarded.file, lambda _: wrong)) as client:
        with pytest.raises(Unavailable) as refusal:
            client.encrypt(b"x", key="guarded")
        assert isinstance(refusal.value.__cause__, InvalidType)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_it_gives_must_be_32_bytes(guarded: Guarded, length: int) -> None:
    fragment = Other(guarded.file, lambda value: (value * 2)[:length])
    with of(guarded, fragment) as client, pytest.raises(Invalid):
        client.encrypt(b"x", key="guarded")


def test_a_panic_is_a_bug_and_the_client_goes_on(guarded: Guarded, capfd: pytest.CaptureFixture[str]) -> None:
    def panic(_: bytes) -> bytes:
        # Raised by a callback, it goes on as the panic that it stands for, through all of the native library.
        raise PanicException("out of order")

    fragment = Other(guarded.file, panic)
    with of(guarded, fragment) as client:
        with pytest.raises(Bug) as refusal:
            client.encrypt(b"x", key="guarded")
        assert refusal.value.code == "panicked"
        fragment.does = bytes
        assert client.decrypt(client.encrypt(b"x", key="guarded")) == b"x"
    assert "resuming a panic" in capfd.readouterr().err


def test_its_id_has_16_bytes(guarded: Guarded) -> None:
    fragment = FragmentOfCallback(guarded.file, None)
    for wrong in (b"", fragment.id[:15], "text", None):
        fragment.id = wrong  # type: ignore[assignment]
        with pytest.raises(InvalidType):
            of(guarded, fragment)
    fragment.id = bytes(16)
    with of(guarded, fragment) as client, Client.from_file(guarded.profile) as reading:
        sealed = client.encrypt(b"x", key="guarded")
        with pytest.raises(NotFound):
            reading.decrypt(sealed)
