from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from anonflow.errors import ConfigError
from anonflow.evidence.signing import read_public_key, read_signing_key, signature_of, signs
from tests.evidence.keys import key_pair


def test_a_signature_holds_for_its_content_and_key_only(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    key, check = read_signing_key(private), read_public_key(public)
    signature = signature_of(b"words", key)
    assert signs(signature, b"words", check)
    assert not signs(signature, b"worlds", check)
    assert not signs(signature, b"words", Ed25519PrivateKey.generate().public_key())


def test_a_signature_that_is_none_holds_for_nothing(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    good, check = signature_of(b"x", read_signing_key(private)), read_public_key(public)
    for bad in (
        {},
        [],
        None,
        good | {"signature": "?"},
        good | {"signature": base64.b64encode(b"short").decode()},
        good | {"algorithm": "none"},
    ):
        assert not signs(bad, b"x", check)


def test_the_key_that_stands_beside_a_signature_is_not_trusted(tmp_path: Path) -> None:
    _, public = key_pair(tmp_path)
    forger = Ed25519PrivateKey.generate()
    assert not signs(signature_of(b"x", forger), b"x", read_public_key(public))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    private, _ = key_pair(tmp_path)
    private.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_signing_key(private)


def test_what_is_no_key_is_refused_without_its_content(tmp_path: Path) -> None:
    private, public = key_pair(tmp_path)
    for path, content in ((private, b"secret words"), (public, public.read_bytes())):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(ConfigError, match="openssl genpkey") as caught:
            read_signing_key(path)
        assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="openssl pkey"):
        read_public_key(private)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_public_key(tmp_path / "gone")


def test_keys_of_openssl_are_read(tmp_path: Path) -> None:
    """The commands that the documentation and the messages name."""
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    commands = [
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(private)],
        ["openssl", "pkey", "-in", str(private), "-pubout", "-out", str(public)],
    ]
    for command in commands:
        try:
            subprocess.run(command, check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("there is no openssl here")
    private.chmod(0o600)
    known = read_signing_key(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert read_public_key(public).public_bytes(Encoding.Raw, PublicFormat.Raw) == known
