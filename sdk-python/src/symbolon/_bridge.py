"""Operations of the native library in an event loop of `asyncio`."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from . import _native

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Bridge:
    """Where the operations of one event loop land.

    The native library's threads put results into a queue and make a socket readable; the loop takes them all at once.
    No thread but the loop's touches a future.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._landing = _native.Landing()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tickets = itertools.count()
        # The loop holds on to this, and lets go of it when it is closed.
        loop.add_reader(self._landing.fileno(), self._land)

    def _land(self) -> None:
        for ticket, value, failed in self._landing.take():
            future = self._waiting.get(ticket)
            if future is None or future.done():
                continue
            if failed:
                future.set_exception(value)
            else:
                future.set_result(value)

    async def run(self, operation: _native.Operation[T]) -> T:
        """Await an operation. If the task is cancelled, so is the operation."""
        ticket = next(self._tickets)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = future
        try:
            operation.start(self._landing, ticket)
            return await future
        except asyncio.CancelledError:
            operation.cancel()
            raise
        finally:
            del self._waiting[ticket]


_BRIDGES: WeakKeyDictionary[asyncio.AbstractEventLoop, Bridge] = WeakKeyDictionary()


def bridge() -> Bridge:
    """Give the bridge of the running loop."""
    loop = asyncio.get_running_loop()
    found = _BRIDGES.get(loop)
    if found is None:
        found = _BRIDGES[loop] = Bridge(loop)
    return found


class InLoop:
    """A progress callback that is called in the running loop, whatever thread tells it.

    That thread doesn't wait: what the callback gives or raises ends the work when the thread tells the next time.
    """

    def __init__(self, told: Callable[[int], object]) -> None:
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._going_on = True
        self._raised: BaseException | None = None

    def __call__(self, written: int) -> bool:
        if self._going_on:
            self._loop.call_soon_threadsafe(self._tell, written)
        return self._going_on

    def _tell(self, written: int) -> None:
        try:
            self._going_on = self._going_on and self._told(written) is not False
        except BaseException as error:  # noqa: BLE001  # it is raised where the operation is awaited
            self._going_on, self._raised = False, error

    async def ending(self, operation: _native.Operation[T]) -> T:
        """Await the operation that tells this."""
        try:
            return await bridge().run(operation)
        finally:
            if self._raised is not None:
                raise self._raised
