"""Messages as streams of `io`."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from . import _native

# A chunk of the ciphertext's usual size: what is decrypted at once anyway.
_BUFFER = 64 * 1024


class _Raw(io.RawIOBase):
    """What `DecryptingReader` buffers."""

    def __init__(self, native: _native.Reader) -> None:
        self._native = native
        self._seekable = native.seekable()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401
        view = memoryview(buffer).cast("B")
        read = self._native.read(len(view))
        view[: len(read)] = read
        return len(read)

    def readall(self) -> bytes:
        return self._native.read_all()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._check(offset, whence)
        return self._native.seek(offset, whence)

    def tell(self) -> int:
        self._check(0, io.SEEK_CUR)
        return self._native.seek(0, io.SEEK_CUR)

    def _check(self, offset: int, whence: int) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
        if not self._seekable:
            raise io.UnsupportedOperation("the ciphertext's source does not seek")
        if whence not in (io.SEEK_SET, io.SEEK_CUR, io.SEEK_END):
            raise ValueError(f"invalid whence ({whence}, should be 0, 1 or 2)")
        if whence == io.SEEK_SET and offset < 0:
            raise ValueError(f"negative seek value {offset}")

    def close(self) -> None:
        if not self.closed:
            self._native.close()
        super().close()


class DecryptingReader(io.BufferedReader):
    """The plaintext of a ciphertext, as a binary stream. If the ciphertext can be sought in, so can this.

    What is read is authentic. That a message is whole is known from the beginning where the stream is seekable; else
    only when its end was read, by `Integrity` or its absence.
    """

    def __init__(self, native: _native.Reader) -> None:
        super().__init__(_Raw(native), _BUFFER)


class _Sink(io.RawIOBase):
    """What `EncryptingWriter` buffers."""

    def __init__(self, native: _native.Writer) -> None:
        self._native = native
        self._discarded = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401
        if self._discarded:
            # What was buffered when the stream was discarded comes here too.
            return memoryview(data).nbytes
        try:
            return self._native.write(data)
        except BaseException:
            # What lacks a piece is never ended: that would make it whole.
            self.discard()
            raise

    def discard(self) -> None:
        self._discarded = True
        self._native.discard()

    def close(self) -> None:
        try:
            if not self.closed and not self._discarded:
                self._native.finish()
        finally:
            super().close()


class EncryptingWriter(io.BufferedWriter):
    """A binary stream; what is written to it is encrypted. `close()` ends the message.

    A file appears under its name only when it is whole: when a `with` block ends by an exception, after `discard()`,
    or when the stream is forgotten without having been closed, there is none.
    """

    def __init__(self, native: _native.Writer) -> None:
        super().__init__(_Sink(native), _BUFFER)

    def discard(self) -> None:
        """Close the stream and throw away what was written."""
        if not self.closed:
            self._sink.discard()
            self.close()

    @property
    def _sink(self) -> _Sink:
        raw = self.raw
        assert isinstance(raw, _Sink)  # noqa: S101  # made in `__init__`
        return raw

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        if not self.closed:
            warnings.warn("an encrypting stream was never closed: discarded", ResourceWarning, stacklevel=2)
            self.discard()
