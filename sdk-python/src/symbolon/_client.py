"""The client that waits."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Literal, overload

from . import _native, _opening
from ._errors import Invalid
from ._io import DecryptingReader, EncryptingWriter
from ._keys import Keys
from ._values import Header, Holder, Notice, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ._native import DataKey
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


class Client:
    """One holder in one account: encrypts, decrypts and manages keys, and never has a key itself.

    It connects when it is used, and can be used by many threads at once; while one waits, others run. After a `fork`,
    the child's client makes connections of its own. Close it, or use it in a `with` statement.

    All constructors take the `passphrase` of the profile's files or a callable that knows it, `customer_fragments`
    that are kept elsewhere than in files, and a `deadline`: seconds for each operation, retries included. Streams are
    not limited; getting their key is.
    """

    def __init__(self, native: _native.Client) -> None:
        """Not for users: take one of the constructors whose names begin with `from_`."""
        self._native = native
        self._keys = Keys(native)

    @classmethod
    def from_environment(
        cls,
        *,
        passphrase: Passphrase = None,
        customer_fragments: Iterable[CustomerFragment] = (),
        deadline: float | None = None,
    ) -> Self:
        """Take the profile that the command line takes.

        That is `$SYMBOLON_PROFILE`, else `symbolon-dev/profile.toml` here, else the user's own in
        `~/.config/symbolon/profile.toml`.
        """
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
        """End all calls, in other threads too, and all connections. Streams that are open go on."""
        self._native.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._native.is_closed()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<symbolon.{type(self).__name__}{' closed' if self.closed else ''}>"

    @property
    def keys(self) -> Keys:
        """Management of keys."""
        return self._keys

    @property
    def holder(self) -> Holder:
        """Who the servers see."""
        return Holder(**self._native.holder())

    def on_behalf_of(self, name: str) -> Self:
        """Give the same client acting for somebody: the access manager's policy decides about them too."""
        return type(self)(self._native.on_behalf_of(name))

    def encrypt(self, plaintext: BytesLike, *, key: str, context: Context | None = None) -> bytes:
        """Encrypt a message under the newest version of a key, bound to a context."""
        return self._native.encrypt(plaintext, key, context).wait()

    def decrypt(self, sealed: BytesLike, *, context: Context | None = None) -> bytes:
        """Decrypt a message, whatever its key, with the context that it was encrypted with."""
        return self._native.decrypt(sealed, context).wait()

    def encrypt_many(
        self, messages: Iterable[BytesLike | Message], *, key: str, context: Context | None = None
    ) -> list[bytes]:
        """Encrypt many messages at once, 64 an exchange with the servers. A `Message` has a context of its own."""
        return self._native.encrypt_many(_opening.pairs(messages, context), key).wait()

    def decrypt_many(self, messages: Iterable[BytesLike | Message], *, context: Context | None = None) -> list[bytes]:
        """Decrypt many messages at once, 64 an exchange with the servers. One that doesn't open fails them all."""
        return self._native.decrypt_many(_opening.pairs(messages, context)).wait()

    def encrypt_file(
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

        Gives the target's length. `progress` is called from a thread of its own.
        """
        return self._native.encrypt_file(source, target, key, context, overwrite, progress).wait()

    def decrypt_file(
        self,
        source: Path,
        target: Path,
        *,
        context: Context | None = None,
        overwrite: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Decrypt a file. The target appears only if every byte of it is authentic and it is whole.

        Gives the target's length. `progress` is called from a thread of its own.
        """
        return self._native.decrypt_file(source, target, context, overwrite, progress).wait()

    @overload
    def open(
        self, file: Path | IO[bytes], mode: Literal["rb"] = "rb", *, context: Context | None = None
    ) -> DecryptingReader: ...

    @overload
    def open(
        self, file: Path | IO[bytes], mode: Literal["wb", "xb"], *, key: str, context: Context | None = None
    ) -> EncryptingWriter: ...

    def open(
        self,
        file: Path | IO[bytes],
        mode: str = "rb",
        *,
        key: str | None = None,
        context: Context | None = None,
    ) -> DecryptingReader | EncryptingWriter:
        """Open a ciphertext, in a file or a binary file object, as a stream of its plaintext.

        With `rb` it is decrypted: the stream is buffered, and seekable where the ciphertext is. With `wb` it is written
        under a `key`; `xb` is the same where there must not be a file yet. A new file can be read by its owner only.
        A file object is left open.
        """
        if mode == "rb":
            if key is not None:
                raise Invalid("the ciphertext says its key itself", code="mode")
            return DecryptingReader(self._native.open_reader(file, context).wait())
        if mode not in ("wb", "xb"):
            raise Invalid(f"mode must be 'rb', 'wb' or 'xb', not {mode!r}", code="mode")
        if key is None:
            raise Invalid("a key is needed to encrypt", code="mode")
        return EncryptingWriter(self._native.open_writer(file, key, context, mode == "wb").wait())

    def data_key(self, key: str, *, context: Context | None = None) -> DataKey:
        """Make a data key under a key whose purpose is `data-key`."""
        return self._native.data_key(key, context).wait()

    def open_data_key(self, wrapped: BytesLike, *, context: Context | None = None) -> DataKey:
        """Get a data key back from its wrapped form."""
        return self._native.open_data_key(wrapped, context).wait()

    def status(self) -> Status:
        """Ask all servers how they are."""
        return Status._of(self._native.status().wait())

    def take_notices(self) -> list[Notice]:
        """Give what operations since the last call got around: managers that were down, or lied."""
        return [Notice(**notice) for notice in self._native.take_notices()]


def inspect(sealed: BytesLike) -> Header:
    """Give what a ciphertext says about itself, from its first kilobyte on. No client and no key are needed."""
    said: dict[str, Any] = _native.inspect(sealed)
    return Header._of(said)
