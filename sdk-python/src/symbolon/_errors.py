"""What goes wrong, by whose move it is."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "Bug",
    "Closed",
    "Conflict",
    "Denied",
    "Integrity",
    "Invalid",
    "InvalidType",
    "NotFound",
    "SymbolonError",
    "Unavailable",
]


class SymbolonError(Exception):
    """Whatever goes wrong with Symbolon. Its subclasses say whose move it is.

    `str()` of one says what happened and, where that is known, what to do. Programs look at the class and at `code`.
    """

    kind: ClassVar[str] = "error"
    """The kind of error, the same in every language: `denied`, `not-found`, `conflict`, …"""
    code: str
    """What happened, for programs: stable, and the same in every language."""
    retry_after: float | None
    """Seconds after which trying again makes sense, where that is known."""
    advice: str | None
    """Whose move it is, and which: for people."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "error",
        retry_after: float | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
        self.advice = advice

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.advice is None else f"{message}\n{self.advice}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword arguments are not among `args`: without this, an error could not come out of a process pool.
        return (_again, (type(self), self.args[0], self.code, self.retry_after, self.advice))


def _again(
    error: type[SymbolonError], message: str, code: str, retry_after: float | None, advice: str | None
) -> SymbolonError:
    return error(message, code=code, retry_after=retry_after, advice=advice)


class Denied(SymbolonError):
    """The caller may not. Ask the account's owner: `advice` says for what."""

    kind = "denied"


class NotFound(SymbolonError):
    """There is no such thing, or the caller may not know. Check the name."""

    kind = "not-found"


class Conflict(SymbolonError):
    """The state of things doesn't allow it. Look, then decide."""

    kind = "conflict"


class Invalid(SymbolonError, ValueError):
    """The call is wrong. Mend it."""

    kind = "invalid"


class InvalidType(Invalid, TypeError):
    """A value of a type that the call doesn't take."""


class Closed(Invalid):
    """The client or the stream is closed, or the interpreter exits."""


class Integrity(SymbolonError):
    """Something isn't what it claims to be. Trying again doesn't help."""

    kind = "integrity"


class Unavailable(SymbolonError):
    """It can't be done now. Try again, after `retry_after` seconds where that is known."""

    kind = "unavailable"


class Bug(SymbolonError):
    """A fault in Symbolon itself, be it a panic of the native library. The client can go on being used."""

    kind = "bug"
