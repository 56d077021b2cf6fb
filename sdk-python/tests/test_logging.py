"""The native library's log, and its notices."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from symbolon import AsyncClient, Client

if TYPE_CHECKING:
    import pytest

    from deployment import Deployment


def test_a_manager_that_is_down_is_logged(keys: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    keys.stop("kfm-2")
    try:
        with Client.from_file(keys.profile) as client:
            sealed = [client.encrypt(b"x", key="notes") for _ in range(3)]
            assert client.decrypt_many(sealed) == [b"x"] * 3
            notices = client.take_notices()
            assert [notice.manager for notice in notices] == ["kfm-2"]
            assert not notices[0].lied
            assert client.take_notices() == []
    finally:
        keys.start("kfm-2")
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings
    assert all(record.name.startswith("symbolon.client") for record in warnings)
    assert "kfm-2" in warnings[0].getMessage()
    assert warnings[0].created > 1_700_000_000


def test_an_event_loop_logs_too(keys: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with AsyncClient.from_file(keys.profile) as client:
            for _ in range(3):
                await client.encrypt(b"x", key="notes")

    keys.stop("kfm-1")
    try:
        asyncio.run(work())
    finally:
        keys.start("kfm-1")
    assert any("kfm-1" in record.getMessage() for record in caplog.records)


def test_the_logger_says_what_is_told(keys: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    keys.stop("kfm-1")
    try:
        with caplog.at_level(logging.ERROR, "symbolon"), Client.from_file(keys.profile) as client:
            client.encrypt(b"x", key="notes")
            assert [notice.manager for notice in client.take_notices()] in (["kfm-1"], [])
    finally:
        keys.start("kfm-1")
    assert [record for record in caplog.records if record.name.startswith("symbolon")] == []


def test_a_handler_that_raises_harms_nobody(keys: Deployment) -> None:
    class Raises(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.handleError(record)

    handler = Raises()
    logging.getLogger("symbolon").addHandler(handler)
    keys.stop("kfm-2")
    try:
        logging.raiseExceptions = False
        with Client.from_file(keys.profile) as client:
            assert client.decrypt(client.encrypt(b"x", key="notes")) == b"x"
    finally:
        logging.raiseExceptions = True
        keys.start("kfm-2")
        logging.getLogger("symbolon").removeHandler(handler)
