from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from plumbing.files import ExposedFileError, read_secret, write_private
from plumbing.signing import BadKeyError, PrivateKey, PublicKey, create_key, fingerprint, load_key, load_or_create_key

# RFC 8032, section 7.1, test 2
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_signatures_are_those_of_rfc_8032() -> None:
    key = PrivateKey.from_raw(SEED)

    assert key.public.raw == PUBLIC
    assert key(b"", b"\x72") == SIGNATURE
    assert key(b"\x72", b"") == SIGNATURE  # the purpose goes in front of the message
    assert key.public(b"", b"\x72", SIGNATURE)


@pytest.mark.parametrize(
    ("purpose", "message", "change"),
    [
        (b"lotgate-hello-1", b"body", None),  # another purpose
        (b"lotgate-ack-1", b"bodz", None),
        (b"lotgate-ack-1", b"body", lambda signature: signature[:-1]),
        (b"lotgate-ack-1", b"body", lambda signature: signature + b"\0"),
        (b"lotgate-ack-1", b"body", lambda signature: bytes([signature[0] ^ 1]) + signature[1:]),
        (b"lotgate-ack-1", b"body", lambda signature: b""),
    ],
)
def test_anything_but_what_was_signed_is_refused(purpose: bytes, message: bytes, change: object) -> None:
    key = PrivateKey.generate()
    signature = key(b"lotgate-ack-1", b"body")
    assert key.public(b"lotgate-ack-1", b"body", signature)
    if callable(change):
        signature = change(signature)

    assert not key.public(purpose, message, signature)
    assert not PrivateKey.generate().public(b"lotgate-ack-1", b"body", key(b"lotgate-ack-1", b"body"))


def test_a_key_file_is_private_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "edge.key"

    key = create_key(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).public.raw == key.public.raw
    assert load_or_create_key(path).public.raw == key.public.raw
    with pytest.raises(FileExistsError):
        create_key(path)


def test_a_key_others_can_read_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "edge.key"
    create_key(path)
    path.chmod(0o644)

    with pytest.raises(ExposedFileError, match="chmod 600"):
        load_key(path)


def test_pem_keys_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "edge.pem"
    pem = Ed25519PrivateKey.from_private_bytes(SEED).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(path, pem)

    assert load_key(path).public.raw == PUBLIC


def test_other_bytes_are_not_a_key(tmp_path: Path) -> None:
    wrong_curve = ec.generate_private_key(ec.SECP256R1())
    files = {
        "short": b"x" * 31,
        "pem": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "curve": wrong_curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    for name, data in files.items():
        write_private(tmp_path / name, data)

        with pytest.raises(BadKeyError, match=name):
            load_key(tmp_path / name)
    with pytest.raises(BadKeyError):
        PublicKey.from_raw(b"x" * 33)


def test_a_key_shows_its_fingerprint_and_not_its_secret() -> None:
    key = PrivateKey.from_raw(SEED)

    assert repr(key) == f"PrivateKey({fingerprint(PUBLIC)})"
    assert len(fingerprint(PUBLIC).split()) == 8


def test_a_secret_file_gives_its_line_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "password", b"hunter 2\n")
    write_private(tmp_path / "empty", b"\n")

    assert read_secret(tmp_path / "password") == "hunter 2"
    with pytest.raises(ValueError, match="empty"):
        read_secret(tmp_path / "empty")
