"""The client that is awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _native, _opening
from ._bridge import InLoop, bridge
from ._keys import AsyncKeys
from ._values import Holder, Notice, Status

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ._native import DataKey, Opening
    from ._values import (
        BytesLike,
        Context,
        CustomerFragment,
        Message,
        Passphrase,
        Path,
        Profile,
        Progress,
    )


class AsyncClient:
    """`Client` for `asyncio`: thousands of operations can be in flight on one, in any number of event loops.

    Cancelling a task cancels its operation. The constructors and all else are as those of `Client`, which see.
    """

    def __init__(self, native: _native.Client) -> None:
        """Not for users: take one of the constructors whose names begin with `from_`."""
        self._native = native
        self._keys = AsyncKeys(native, bridge)

    @classmethod
    def from_environment(
        cls,
        *,
        passphrase: Passphrase = None,
        customer_fragments: Iterable[CustomerFragment] = (),
        deadline: float | None = None,
    ) -> Self:
        """Take the profile that the command line takes: see `Client.from_environment`."""
        return cls(_opening.of_environment(passphrase, customer_fragments, deadline))

    @classmethod
    def from_file(
        cls,
        file: Path,
        *,
        passphrase: Passphrase = None,
        customer_fragments: Iterable[CustomerFragment] = (),
        deadline: float | None = None,
    ) -> Self:
        """Take the profile in a file, as `symbolon profile create` writes it."""
        return cls(_opening.of_file(file, passphrase, customer_fragments, deadline))

    @classmethod
    def from_profile(
        cls,
        profile: Profile,
        *,
        passphrase: Passphrase = None,
        customer_fragments: Iterable[CustomerFragment] = (),
        deadline: float | None = None,
    ) -> Self:
        """Take a profile that the program made."""
        return cls(_opening.of_profile(profile, passphrase, customer_fragments, deadline))

    def close(self) -> None:
        """End all operations and all connections. Streams that are open go on."""
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._native.is_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<symbolon.{type(self).__name__}{' closed' if self.closed else ''}>"

    @property
    def keys(self) -> AsyncKeys:
        """Management of keys."""
        return self._keys

    @property
    def holder(self) -> Holder:
        """Who the servers see."""
        return Holder(**self._native.holder())

    def on_behalf_of(self, name: str) -> Self:
        """Give the same client acting for somebody: the access manager's policy decides about them too."""
        return type(self)(self._native.on_behalf_of(name))

    async def encrypt(self, plaintext: BytesLike, *, key: str, context: Context | None = None) -> bytes:
        """Encrypt a message under the newest version of a key, bound to a context."""
        return await bridge().run(self._native.encrypt(plaintext, key, context))

    async def decrypt(self, sealed: BytesLike, *, context: Context | None = None) -> bytes:
        """Decrypt a message, whatever its key, with the context that it was encrypted with."""
        return await bridge().run(self._native.decrypt(sealed, context))

    async def encrypt_many(
        self, messages: Iterable[BytesLike | Message], *, key: str, context: Context | None = None
    ) -> list[bytes]:
        """Encrypt many messages at once: see `Client.encrypt_many`."""
        return await bridge().run(self._native.encrypt_many(_opening.pairs(messages, context), key))

    async def decrypt_many(
        self, messages: Iterable[BytesLike | Message], *, context: Context | None = None
    ) -> list[bytes]:
        """Decrypt many messages at once: see `Client.decrypt_many`."""
        return await bridge().run(self._native.decrypt_many(_opening.pairs(messages, context)))

    async def encrypt_file(
        self,
        source: Path,
        target: Path,
        *,
        key: str,
        context: Context | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Encrypt a file of any length, on several processors. The target appears when it is whole.

        Gives the target's length. `progress` is called in the event loop.
        """
        if progress is None:
            return await bridge().run(self._native.encrypt_file(source, target, key, context, overwrite, None))
        told = InLoop(progress)
        return await told.ending(self._native.encrypt_file(source, target, key, context, overwrite, told))

    async def decrypt_file(
        self,
        source: Path,
        target: Path,
        *,
        context: Context | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Decrypt a file. The target appears only if every byte of it is authentic and it is whole.

        Gives the target's length. `progress` is called in the event loop.
        """
        if progress is None:
            return await bridge().run(self._native.decrypt_file(source, target, context, overwrite, None))
        told = InLoop(progress)
        return await told.ending(self._native.decrypt_file(source, target, context, overwrite, told))

    async def encrypt_stream(
        self, pieces: AsyncIterable[BytesLike], *, key: str, context: Context | None = None
    ) -> AsyncIterator[bytes]:
        """Encrypt pieces of a message as they come."""
        message = await bridge().run(self._native.sealing(key, context))
        async for piece in pieces:
            if ready := message.push(piece):
                yield ready
        yield message.finish()

    async def decrypt_stream(
        self, pieces: AsyncIterable[BytesLike], *, context: Context | None = None
    ) -> AsyncIterator[bytes]:
        """Decrypt pieces of a ciphertext as they come.

        What is given is authentic. That the message is whole is known only when the iteration has ended without an
        exception.
        """
        head = bytearray()
        message: Opening | None = None
        async for piece in pieces:
            if message is not None:
                ready = message.push(piece)
            else:
                head += piece
                if _native.preamble_missing(head):
                    continue
                opened = await bridge().run(self._native.opening(head, context))
                message, ready = opened
            if ready:
                yield ready
        if message is None:
            # The head never became whole, which this says.
            opened = await bridge().run(self._native.opening(head, context))
            message = opened[0]
        if ready := message.finish():
            yield ready

    async def data_key(self, key: str, *, context: Context | None = None) -> DataKey:
        """Make a data key under a key whose purpose is `data-key`."""
        return await bridge().run(self._native.data_key(key, context))

    async def open_data_key(self, wrapped: BytesLike, *, context: Context | None = None) -> DataKey:
        """Get a data key back from its wrapped form."""
        return await bridge().run(self._native.open_data_key(wrapped, context))

    async def status(self) -> Status:
        """Ask all servers how they are."""
        return Status._of(await bridge().run(self._native.status()))

    def take_notices(self) -> list[Notice]:
        """Give what operations since the last call got around: managers that were down, or lied."""
        return [Notice(**notice) for notice in self._native.take_notices()]
