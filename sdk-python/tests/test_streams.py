"""Streams of `io`, and the libraries that read and write through them."""

from __future__ import annotations

import errno
import gc
import io
import os
import zipfile
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from symbolon import Client, Closed, Conflict, Integrity, Invalid, InvalidType

if TYPE_CHECKING:
    from pathlib import Path

TEXT = bytes(range(251)) * 2000


@pytest.fixture
def sealed(client: Client, tmp_path: Path) -> Path:
    file = tmp_path / "big.symbolon"
    with client.open(file, "wb", key="notes") as stream:
        assert stream.write(TEXT) == len(TEXT)
    return file


def test_a_reader_is_an_io_stream(client: Client, sealed: Path) -> None:
    with client.open(sealed) as stream:
        assert isinstance(stream, io.BufferedReader)
        assert (stream.readable(), stream.writable(), stream.seekable()) == (True, False, True)
        assert stream.read(10) == TEXT[:10]
        assert stream.tell() == 10
        assert stream.seek(-5, io.SEEK_END) == len(TEXT) - 5
        assert stream.read() == TEXT[-5:]
        assert stream.seek(100_000) == 100_000
        assert stream.peek(1)[:1] == TEXT[100_000:100_001]
        assert stream.seek(7, io.SEEK_CUR) == 100_007
        buffer = bytearray(200_000)
        assert stream.readinto(buffer) == 200_000
        assert buffer == TEXT[100_007:300_007]
        assert stream.seek(10_000_000) == 10_000_000
        assert stream.read(1) == b""
    assert stream.closed
    with pytest.raises(ValueError, match="closed"):
        stream.read(1)


def test_nonsense_of_seeking_is_refused(client: Client, sealed: Path) -> None:
    with client.open(sealed) as stream:
        with pytest.raises(ValueError, match="negative"):
            stream.seek(-1)
        with pytest.raises(ValueError, match="whence"):
            stream.seek(0, 9)
        with pytest.raises(Invalid):
            stream.seek(-len(TEXT) - 1, io.SEEK_END)
        with pytest.raises(io.UnsupportedOperation):
            stream.write(b"x")
        assert stream.seek(0) == 0
        assert stream.read() == TEXT


def test_lines_and_text(client: Client, tmp_path: Path) -> None:
    lines = [f"line {number} größer\n" for number in range(10_000)]
    with client.open(tmp_path / "text", "xb", key="notes") as stream:
        stream.writelines(line.encode() for line in lines)
    with client.open(tmp_path / "text") as reading:
        assert list(io.TextIOWrapper(reading, encoding="utf-8")) == lines


def test_a_zip_file_is_read_through_it(client: Client, tmp_path: Path) -> None:
    with (
        client.open(tmp_path / "archive", "wb", key="notes") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        archive.writestr("one.bin", TEXT)
        archive.writestr("two.txt", "zwei")
    with client.open(tmp_path / "archive") as reading, zipfile.ZipFile(reading) as archive:
        assert archive.testzip() is None
        assert archive.read("two.txt") == b"zwei"
        assert archive.read("one.bin") == TEXT


def test_pandas_reads_through_it(client: Client, tmp_path: Path) -> None:
    frame = pd.DataFrame({"number": range(20_000), "text": [f"row {number}" for number in range(20_000)]})
    with client.open(tmp_path / "table", "wb", key="notes") as stream:
        frame.to_csv(stream, index=False)
    with client.open(tmp_path / "table") as stream:
        assert pd.read_csv(stream).equals(frame)


def test_file_objects_are_read_and_written(client: Client) -> None:
    file = io.BytesIO(b"before")
    file.seek(0, io.SEEK_END)
    with client.open(file, "wb", key="notes") as writing:
        writing.write(TEXT)
    file.seek(len(b"before"))
    with client.open(file) as reading:
        assert reading.seek(-3, io.SEEK_END)
        assert reading.read() == TEXT[-3:]
    assert not file.closed


def test_a_pipe_is_read_from_start_to_end(client: Client, sealed: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self._file = sealed.open("rb")

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            return self._file.readinto(memoryview(buffer)[:1000])

        def close(self) -> None:
            self._file.close()
            super().close()

    with Pipe() as pipe, client.open(pipe) as stream:  # type: ignore[call-overload]
        assert not stream.seekable()
        with pytest.raises(io.UnsupportedOperation):
            stream.seek(0)
        assert stream.read() == TEXT


def test_a_ciphertext_that_was_tampered_with(client: Client, sealed: Path) -> None:
    content = bytearray(sealed.read_bytes())
    content[200_000] ^= 1
    with client.open(io.BytesIO(content)) as stream:
        assert stream.read(1000) == TEXT[:1000]
        stream.seek(199_000)
        with pytest.raises(Integrity):
            stream.read(100_000)
    with pytest.raises(Integrity):
        client.open(io.BytesIO(content[:-100]))
    with pytest.raises(Integrity):
        client.open(io.BytesIO(b"not a ciphertext"))


def test_a_file_appears_whole_or_not_at_all(client: Client, tmp_path: Path) -> None:
    target = tmp_path / "target"

    def fail() -> None:
        with client.open(target, "wb", key="notes") as stream:
            stream.write(TEXT)
            assert not target.exists()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    stream = client.open(target, "wb", key="notes")
    stream.write(TEXT)
    stream.discard()
    assert list(tmp_path.iterdir()) == []
    with client.open(target, "wb", key="notes") as stream:
        stream.write(b"whole")
    assert client.decrypt(target.read_bytes()) == b"whole"
    assert target.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict):
        client.open(target, "xb", key="notes")


def test_a_forgotten_stream_leaves_nothing(client: Client, tmp_path: Path) -> None:
    streams = [client.open(tmp_path / "target", "wb", key="notes")]
    streams[0].write(TEXT)
    with pytest.warns(ResourceWarning, match="never closed"):
        streams.clear()
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_what_a_file_object_raises_arrives(client: Client) -> None:
    class Broken(io.BytesIO):
        def write(self, _: object) -> int:
            raise LookupError("written")

        def read(self, _: int | None = -1) -> bytes:
            raise LookupError("read")

    with pytest.raises(LookupError, match="read"):
        client.open(Broken())
    stream = client.open(Broken(), "wb", key="notes")
    with pytest.raises(LookupError, match="written"):
        stream.close()
    assert stream.closed


def test_what_lacks_a_piece_is_not_ended(client: Client) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            if self.tell() > 0:
                raise OSError(errno.ENOSPC, "no space left")
            return super().write(data)  # type: ignore[arg-type]

    file = Full()
    stream = client.open(file, "wb", key="notes")
    stream.write(TEXT)
    with pytest.raises(OSError, match="no space"):
        stream.write(TEXT)
    stream.close()
    with pytest.raises(Integrity):
        client.decrypt(file.getvalue())


def test_a_descriptor_that_is_read_only(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (tmp_path / "file").open("rb") as file:
        stream = client.open(file, "wb", key="notes")
        with pytest.raises(OSError, match="write"):
            stream.close()


def test_wrong_calls_of_open(client: Client, tmp_path: Path) -> None:
    for mode in ("r", "w", "ab", "r+b", ""):
        with pytest.raises(Invalid):
            client.open(tmp_path / "file", mode, key="notes")  # type: ignore[call-overload]
    with pytest.raises(Invalid):
        client.open(tmp_path / "file", "wb")  # type: ignore[call-overload]
    with pytest.raises(Invalid):
        client.open(tmp_path / "file", "rb", key="notes")  # type: ignore[call-overload]
    for wrong in (3, None, object()):
        with pytest.raises(InvalidType):
            client.open(wrong)  # type: ignore[call-overload]
    with client.open(tmp_path / "file", "wb", key="notes") as stream, pytest.raises(TypeError):
        stream.write("text")  # type: ignore[arg-type]


def test_a_stream_outlives_its_client(client: Client, sealed: Path) -> None:
    reader = client.open(sealed)
    client.close()
    with reader:
        assert reader.read() == TEXT
    with pytest.raises(Closed):
        client.open(sealed)


def test_a_special_file_is_no_seekable_stream(client: Client, sealed: Path) -> None:
    reading, writing = os.pipe()
    if child := os.posix_spawn(
        "/bin/cat",
        ["cat", str(sealed)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading)],
    ):
        os.close(writing)
        with client.open(f"/dev/fd/{reading}") as stream:
            assert not stream.seekable()
            assert stream.read() == TEXT
        os.close(reading)
        assert os.waitpid(child, 0)[1] == 0
