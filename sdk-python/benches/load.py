"""The package's half of the figures: does what a line of its input says, and answers how many seconds it took.

Called as `load.py PROFILE KEY DATA-KEY` by the project's load tools, which measure the Rust client in turns with it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from symbolon import Client

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = bytes(1024)
SMALL = b"a small record, as there are many of them in a table"


class Load:
    """What can be measured."""

    def __init__(self, client: Client, key: str, data_key: str) -> None:
        self.client, self.key = client, key
        self.data_key = client.data_key(data_key)

    def record(self, times: str) -> float:
        """Seal 1 KiB under a data key in hand, so often."""
        seal = self.data_key.seal
        return seconds(lambda: [seal(TEXT) for _ in range(int(times))])

    def call(self, times: str) -> float:
        """Encrypt 1 KiB by the fragment managers, so often."""
        return seconds(lambda: [self.client.encrypt(TEXT, key=self.key) for _ in range(int(times))])

    def encrypt(self, source: str, target: str) -> float:
        """Encrypt a file."""
        return seconds(lambda: self.client.encrypt_file(source, target, key=self.key, overwrite=True))

    def decrypt(self, source: str, target: str) -> float:
        """Decrypt a file."""
        return seconds(lambda: self.client.decrypt_file(source, target, overwrite=True))

    def many(self, times: str) -> float:
        """Encrypt so many small records in one call."""
        return seconds(lambda: self.client.encrypt_many([SMALL] * int(times), key=self.key))

    def each(self, times: str) -> float:
        """Encrypt so many small records one by one."""
        return seconds(lambda: [self.client.encrypt(SMALL, key=self.key) for _ in range(int(times))])

    def aws(self, source: str, target: str) -> float:
        """Encrypt a file by the AWS Encryption SDK under a raw AES key, by its own recommendations."""
        import aws_encryption_sdk
        from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
        from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
        from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput

        providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        keyring = providers.create_raw_aes_keyring(
            input=CreateRawAesKeyringInput(
                key_namespace="bench",
                key_name="raw",
                wrapping_key=bytes(range(32)),
                wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
            )
        )
        client = aws_encryption_sdk.EncryptionSDKClient()

        def work() -> None:
            with (
                Path(source).open("rb") as plain,
                Path(target).open("wb") as sealed,
                client.stream(mode="e", source=plain, keyring=keyring) as encryptor,
            ):
                for chunk in encryptor:
                    sealed.write(chunk)

        return seconds(work)


def seconds(work: Callable[[], object]) -> float:
    """Give how long it takes."""
    began = perf_counter()
    work()
    return perf_counter() - began


def main() -> None:
    """Answer line by line."""
    profile, key, data_key = sys.argv[1:]
    with Client.from_file(profile) as client:
        load = Load(client, key, data_key)
        for line in sys.stdin:
            what, *words = line.split()
            sys.stdout.write(f"{getattr(load, what)(*words)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
