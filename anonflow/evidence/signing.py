"""Ed25519 signatures (RFC 8032) with keys in PEM files."""

from __future__ import annotations

import base64
import binascii
import stat
from pathlib import Path
from typing import Any, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from anonflow.errors import ConfigError

ALGORITHM = "Ed25519"
SigningKey: TypeAlias = Ed25519PrivateKey
PublicKey: TypeAlias = Ed25519PublicKey


def read_signing_key(path: Path) -> SigningKey:
    """The private key in a PEM file that nobody but its owner can read.

    Raises ConfigError, which never holds anything of the file's content.
    """
    content = _read(path, "runtime.signing_key")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"runtime.signing_key={path}: others may read this file. Run chmod 600 on it.")
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            f"runtime.signing_key={path}: no Ed25519 private key without a password in PEM. "
            "Make one: openssl genpkey -algorithm ed25519 -out key.pem"
        )
    return key


def read_public_key(path: Path) -> PublicKey:
    """The public key in a PEM file. Raises ConfigError."""
    try:
        key = load_pem_public_key(_read(path, "public_key"))
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(
            f"public_key={path}: no Ed25519 public key in PEM. "
            "Take it from the private one: openssl pkey -in key.pem -pubout -out public.pem"
        )
    return key


def signature_of(content: bytes, key: SigningKey) -> dict[str, str]:
    """The signature as a value that JSON can hold, with the public key that it can be told by."""
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "algorithm": ALGORITHM,
        "public_key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(key.sign(content)).decode(),
    }


def signs(signature: Any, content: bytes, key: PublicKey) -> bool:
    """Whether that is the key's signature of `content`. The public key beside the signature is never trusted."""
    try:
        if signature["algorithm"] != ALGORITHM:
            return False
        key.verify(base64.b64decode(signature["signature"], validate=True), content)
    except (InvalidSignature, KeyError, TypeError, ValueError, binascii.Error):
        return False
    return True


def _read(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{option}={path} cannot be read ({error.strerror}).") from error
