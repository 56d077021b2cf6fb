"""Encrypt and decrypt with keys that never exist whole.

Symbolon keeps a key as fragments, each with a manager of its own, or inside of a hardware security module. This package
asks enough of them, and combines what they answer on your side, into a key for one message that nobody else ever has.

```python
from symbolon import Client

with Client.from_environment() as symbolon:
    sealed = symbolon.encrypt(b"a message", key="notes", context={"user": "42"})
    assert symbolon.decrypt(sealed, context={"user": "42"}) == b"a message"
```

`Client` waits, `AsyncClient` is awaited; they can do the same. Whatever goes wrong is a `SymbolonError`, and its class
says whose move it is: `Denied` (ask the owner), `Unavailable` (try again), `Integrity` (don't), `Invalid` (mend the
call), `NotFound`, `Conflict`, `Bug`.

Its log goes to the logger `symbolon` of `logging`.
"""

from . import _errors
from ._async import AsyncClient
from ._client import Client, inspect
from ._errors import (
    Bug,
    Closed,
    Conflict,
    Denied,
    Integrity,
    Invalid,
    InvalidType,
    NotFound,
    SymbolonError,
    Unavailable,
)
from ._io import DecryptingReader, EncryptingWriter
from ._keys import AsyncKeys, Keys
from ._native import DataKey, __version__
from ._values import (
    BytesLike,
    Context,
    CustomerFragment,
    Header,
    Holder,
    Key,
    KeyCertificate,
    KeySummary,
    KeyVersion,
    Message,
    Notice,
    Passphrase,
    Path,
    Profile,
    Progress,
    Server,
    Status,
)

__all__ = [
    "AsyncClient",
    "AsyncKeys",
    "Bug",
    "BytesLike",
    "Client",
    "Closed",
    "Conflict",
    "Context",
    "CustomerFragment",
    "DataKey",
    "DecryptingReader",
    "Denied",
    "EncryptingWriter",
    "Header",
    "Holder",
    "Integrity",
    "Invalid",
    "InvalidType",
    "Key",
    "KeyCertificate",
    "KeySummary",
    "KeyVersion",
    "Keys",
    "Message",
    "NotFound",
    "Notice",
    "Passphrase",
    "Path",
    "Profile",
    "Progress",
    "Server",
    "Status",
    "SymbolonError",
    "Unavailable",
    "__version__",
    "inspect",
]

for _name in _errors.__all__:
    # So that a traceback names it as users do.
    getattr(_errors, _name).__module__ = __name__
del _name
