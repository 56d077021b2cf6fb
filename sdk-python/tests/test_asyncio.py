"""The client that is awaited."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from symbolon import AsyncClient, Closed, Conflict, Integrity, Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from pathlib import Path

    from deployment import Deployment

TEXT = bytes(range(251)) * 2000


@pytest.fixture
def opened(keys: Deployment) -> Iterator[AsyncClient]:
    client = AsyncClient.from_file(keys.profile)
    yield client
    client.close()


def test_thousands_are_in_flight_on_one_client(opened: AsyncClient) -> None:
    async def work() -> None:
        texts = [f"message {number}".encode() for number in range(3000)]
        sealed = await asyncio.gather(*(opened.encrypt(text, key="notes") for text in texts))
        assert len(set(sealed)) == 3000
        assert await opened.decrypt_many(sealed) == texts
        one_by_one = await asyncio.gather(*(opened.decrypt(one) for one in sealed[:1000]))
        assert one_by_one == texts[:1000]

    asyncio.run(work())


def test_the_loop_goes_on_meanwhile(opened: AsyncClient) -> None:
    async def work() -> int:
        turns = 0
        task = asyncio.create_task(opened.encrypt(bytes(32 << 20), key="notes"))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        await task
        return turns

    assert asyncio.run(work()) > 100


def test_all_that_the_other_client_can(opened: AsyncClient, tmp_path: Path) -> None:
    async def work() -> None:
        sealed = await opened.encrypt_many([b"one", Message(b"two", {"n": "v"})], key="notes")
        assert await opened.decrypt_many([sealed[0], Message(sealed[1], {"n": "v"})]) == [b"one", b"two"]
        key = await opened.data_key("volumes")
        again = await opened.open_data_key(key.wrapped)
        assert again.open(key.seal(b"record")) == b"record"
        made = await opened.keys.create("awaited", labels={"a": "b"})
        assert made.state == "active"
        assert (await opened.keys.rotate("awaited")).newest.version == 2
        assert (await opened.keys.show("awaited")).id == "awaited"
        assert "awaited" in [key.id for key in await opened.keys.list(state="active")]
        assert await opened.keys.label("awaited", {"a": None}) == {}
        assert (await opened.status()).access_manager.problem is None
        (tmp_path / "plain").write_bytes(TEXT)
        await opened.encrypt_file(tmp_path / "plain", tmp_path / "sealed", key="notes")
        assert await opened.decrypt_file(tmp_path / "sealed", tmp_path / "opened") == len(TEXT)
        assert (tmp_path / "opened").read_bytes() == TEXT
        assert opened.holder.holder.startswith("sym1")
        assert opened.take_notices() == []

    asyncio.run(work())


async def pieces(of: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(of), size):
        yield of[at : at + size]


@pytest.mark.parametrize("size", [1000, 65_536, 10**6])
def test_streams(opened: AsyncClient, size: int) -> None:
    async def work() -> None:
        context = {"stream": "1"}
        sealed = b"".join(
            [piece async for piece in opened.encrypt_stream(pieces(TEXT, size), key="notes", context=context)]
        )
        assert await opened.decrypt(sealed, context=context) == TEXT
        again = [piece async for piece in opened.decrypt_stream(pieces(sealed, size), context=context)]
        assert b"".join(again) == TEXT
        with pytest.raises(Integrity):
            [piece async for piece in opened.decrypt_stream(pieces(sealed[:-1], size), context=context)]
        with pytest.raises(Integrity):
            [piece async for piece in opened.decrypt_stream(pieces(sealed[:20], 7))]

    asyncio.run(work())


def test_progress_is_told_in_the_loop(opened: AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(TEXT * 20)
    here, told = threading.get_ident(), []

    def tell(written: int) -> None:
        assert threading.get_ident() == here
        told.append(written)

    def fail(_: int) -> None:
        raise LookupError

    async def work(progress: Callable[[int], None]) -> None:
        await opened.encrypt_file(
            tmp_path / "plain", tmp_path / "sealed", key="notes", overwrite=True, progress=progress
        )

    asyncio.run(work(tell))
    assert told == sorted(told) != []
    with pytest.raises(LookupError):
        asyncio.run(work(fail))


def test_cancelling_reaches_the_library(keys: Deployment) -> None:
    async def work() -> None:
        async with AsyncClient.from_file(keys.profile) as client:
            sealed = await client.encrypt(b"x", key="notes")
            keys.pause("kfm-1", "kfm-2", "kfm-3")
            try:
                tasks = [asyncio.create_task(client.decrypt(sealed)) for _ in range(100)]
                await asyncio.wait(tasks, timeout=0.1)
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
                assert all(isinstance(error, asyncio.CancelledError) for error in ended)
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.decrypt(sealed), 0.1)
            finally:
                keys.resume("kfm-1", "kfm-2", "kfm-3")
            assert await client.decrypt(sealed) == b"x"

    asyncio.run(work())


def test_a_cancelled_operation_lets_go_of_its_connection(keys: Deployment) -> None:
    """The access manager takes connections here, and never says a word."""

    async def work(silent: socket.socket, profile: Path) -> None:
        async with AsyncClient.from_file(profile) as client:
            task = asyncio.create_task(client.encrypt(b"x", key="notes"))
            connection, _ = await asyncio.to_thread(silent.accept)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with connection:
                # Sooner than the library itself would give up.
                connection.settimeout(3)
                while await asyncio.to_thread(connection.recv, 4096):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as silent:
        lines = [line for line in keys.profile.read_text().splitlines() if not line.startswith("access-manager")]
        lines.insert(0, f'access-manager = "127.0.0.1:{silent.getsockname()[1]}"')
        profile = keys.directory / "silent.toml"
        profile.write_text("\n".join(lines))
        asyncio.run(work(silent, profile))


def test_closing_ends_what_is_in_flight(keys: Deployment) -> None:
    async def work() -> None:
        client = AsyncClient.from_file(keys.profile)
        sealed = await client.encrypt(b"x", key="notes")
        keys.pause("kfm-1", "kfm-2", "kfm-3")
        try:
            tasks = [asyncio.create_task(client.decrypt(sealed)) for _ in range(10)]
            await asyncio.wait(tasks, timeout=0.1)
            client.close()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            keys.resume("kfm-1", "kfm-2", "kfm-3")
        assert {type(error) for error in ended} == {Closed}
        with pytest.raises(Closed):
            await client.decrypt(sealed)
        client.close()
        assert client.closed
        assert repr(client) == "<symbolon.AsyncClient closed>"

    asyncio.run(work())


def test_one_client_serves_many_loops(opened: AsyncClient) -> None:
    async def work() -> bytes:
        return await opened.decrypt(await opened.encrypt(b"x", key="notes"))

    assert asyncio.run(work()) == b"x"
    assert asyncio.run(work()) == b"x"
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(work()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [b"x"] * 8


def test_an_operation_needs_a_loop(opened: AsyncClient) -> None:
    work: Coroutine[object, object, bytes] = opened.encrypt(b"x", key="notes")
    with pytest.raises(RuntimeError, match="no running event loop"):
        work.send(None)


def test_a_loop_may_end_while_an_operation_is_in_flight(opened: AsyncClient, keys: Deployment) -> None:
    sealed = asyncio.run(opened.encrypt(b"x", key="notes"))
    keys.pause("kfm-1", "kfm-2", "kfm-3")
    try:
        loop = asyncio.new_event_loop()
        task = loop.create_task(opened.decrypt(sealed))
        loop.run_until_complete(asyncio.wait([task], timeout=0.05))
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()
    finally:
        keys.resume("kfm-1", "kfm-2", "kfm-3")
    assert asyncio.run(opened.decrypt(sealed)) == b"x"


def test_errors_are_raised_where_they_are_awaited(opened: AsyncClient, tmp_path: Path) -> None:
    async def work() -> None:
        (tmp_path / "there").write_bytes(b"")
        with pytest.raises(Conflict):
            await opened.encrypt_file(tmp_path / "there", tmp_path / "there", key="notes")
        with pytest.raises(Integrity):
            await opened.decrypt(b"no ciphertext")

    asyncio.run(work())
