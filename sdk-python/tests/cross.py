"""Writes the messages of `cross.json` for other programs to open, and opens what they wrote.

Called as `cross.py write FOLDER NAME` or `cross.py open FOLDER NAME`, with `SYMBOLON_PROFILE` set.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from symbolon import Client

Entry = dict[str, Any]
PIECE = 1000


def plaintext(entry: Entry) -> bytes:
    length: int = entry["pattern"]
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def write(client: Client, entry: Entry, target: Path) -> None:
    text, key, context = plaintext(entry), entry["key"], entry.get("context")
    match entry["how"]:
        case "bytes":
            target.write_bytes(client.encrypt(text, key=key, context=context))
        case "stream":
            with client.open(target, "wb", key=key, context=context) as stream:
                for at in range(0, len(text), PIECE):
                    stream.write(text[at : at + PIECE])
        case "file":
            source = target.with_suffix(".plain")
            source.write_bytes(text)
            client.encrypt_file(source, target, key=key, context=context)
            source.unlink()
        case other:
            raise AssertionError(f"unknown way: {other}")


def check(client: Client, entry: Entry, sealed: Path) -> None:
    text, context = plaintext(entry), entry.get("context")
    opened = client.decrypt(sealed.read_bytes(), context=context)
    assert opened == text, f"{sealed.name}: bytes"
    with client.open(sealed, context=context) as stream:
        assert stream.read() == text, f"{sealed.name}: stream"
        if "seek" in entry:
            stream.seek(entry["seek"])
            assert stream.read() == text[entry["seek"] :], f"{sealed.name}: from an offset"


def main(do: str, folder: Path, name: str) -> None:
    plan = json.loads((folder / "cross.json").read_text())
    entries: dict[str, Entry] = {entry["name"]: entry for entry in plan["entries"]}
    with Client.from_environment() as client:
        for entry_name, entry in entries.items():
            if do == "write":
                write(client, entry, folder / f"{entry_name}.{name}.symbolon")
            else:
                for sealed in sorted(folder.glob(f"{entry_name}.*.symbolon")):
                    check(client, entry, sealed)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
