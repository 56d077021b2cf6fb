"""The native library's log, by way of `logging`: loggers below `symbolon`, such as `symbolon.client.notice`."""

from __future__ import annotations

import logging

_ROOT = logging.getLogger("symbolon")


def level() -> int:
    """Give the least level that anybody listens to."""
    return min(_ROOT.getEffectiveLevel(), 255)


def deliver(lines: list[tuple[int, str, str, float]]) -> None:
    """Hand on what the native library said: level, logger, message, time."""
    for number, name, message, created in lines:
        logger = logging.getLogger(name)
        if logger.isEnabledFor(number):
            record = logger.makeRecord(name, number, "(native)", 0, message, (), None)
            record.created = created
            logger.handle(record)
