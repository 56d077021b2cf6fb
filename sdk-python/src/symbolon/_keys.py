"""Management of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _native
from ._values import Key, KeySummary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._bridge import Bridge


def _wanted(
    suite: str,
    threshold: int,
    of: int,
    managers: Sequence[str] | None,
    purpose: str,
    customer_fragment: bool,
    shared: bool,
    on: str | None,
    labels: Mapping[str, str] | None,
) -> dict[str, object]:
    return {
        "suite": suite,
        "threshold": threshold,
        "of": of,
        "managers": None if managers is None else list(managers),
        "purpose": purpose,
        "customer_fragment": customer_fragment,
        "shared": shared,
        "on": on,
        "labels": dict(labels or {}),
    }


class Keys:
    """The keys of an account, for management. Switching one off, and destroying one, is the owner's command line's."""

    def __init__(self, native: _native.Client) -> None:
        self._native = native

    def create(
        self,
        key: str,
        *,
        suite: str = "ristretto255",
        threshold: int = 2,
        of: int = 3,
        managers: Sequence[str] | None = None,
        purpose: str = "data",
        customer_fragment: bool = False,
        shared: bool = False,
        on: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Key:
        """Make a key: fragment managers generate it together, and it never exists whole.

        `key` is its id, a path such as `shop/orders`, never used twice. `threshold` of `of` fragments make an
        operation; `managers` names who holds them, else some of the roster do. `suite` is `ristretto255` or `p256`,
        `purpose` is `data`, `data-key` or `wrap`. With `customer_fragment`, every use takes that too. A `shared` key's
        fragment set is a root for others, which are made `on` it without a ceremony.
        """
        wanted = _wanted(suite, threshold, of, managers, purpose, customer_fragment, shared, on, labels)
        return Key._of(_native.key_create(self._native, key, wanted).wait())

    def rotate(self, key: str) -> Key:
        """Make a new version, with which everything is encrypted from now on. Old ones still decrypt."""
        return Key._of(_native.key_rotate(self._native, key).wait())

    def show(self, key: str) -> Key:
        """Give a key with its versions."""
        return Key._of(_native.key_show(self._native, key).wait())

    def list(self, *, below: str | None = None, state: str | None = None, label: str | None = None) -> list[KeySummary]:
        """Give the keys that the holder may see, in the order of their ids.

        Only those `below` a path, in a `state`, or with a `label` (`NAME=VALUE`).
        """
        return _listed(_native.key_list(self._native, below, state, label).wait())

    def label(self, key: str, labels: Mapping[str, str | None]) -> Mapping[str, str]:
        """Set labels, and take away those whose value is `None`. Gives all labels that there are then."""
        return _native.key_label(self._native, key, dict(labels)).wait()


class AsyncKeys:
    """The same as `Keys`, to be awaited."""

    def __init__(self, native: _native.Client, bridge: Callable[[], Bridge]) -> None:
        self._native = native
        self._bridge = bridge

    async def create(
        self,
        key: str,
        *,
        suite: str = "ristretto255",
        threshold: int = 2,
        of: int = 3,
        managers: Sequence[str] | None = None,
        purpose: str = "data",
        customer_fragment: bool = False,
        shared: bool = False,
        on: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Key:
        """Make a key: see `Keys.create`."""
        wanted = _wanted(suite, threshold, of, managers, purpose, customer_fragment, shared, on, labels)
        return Key._of(await self._bridge().run(_native.key_create(self._native, key, wanted)))

    async def rotate(self, key: str) -> Key:
        """Make a new version: see `Keys.rotate`."""
        return Key._of(await self._bridge().run(_native.key_rotate(self._native, key)))

    async def show(self, key: str) -> Key:
        """Give a key with its versions."""
        return Key._of(await self._bridge().run(_native.key_show(self._native, key)))

    async def list(
        self, *, below: str | None = None, state: str | None = None, label: str | None = None
    ) -> list[KeySummary]:
        """Give the keys that the holder may see: see `Keys.list`."""
        return _listed(await self._bridge().run(_native.key_list(self._native, below, state, label)))

    async def label(self, key: str, labels: Mapping[str, str | None]) -> Mapping[str, str]:
        """Set labels and take them away: see `Keys.label`."""
        return await self._bridge().run(_native.key_label(self._native, key, dict(labels)))


def _listed(said: list[dict[str, Any]]) -> list[KeySummary]:
    return [KeySummary._of(key) for key in said]
