"""X.509 for the link between edges and broker: requests, a small authority, and contexts for both ends.

The authority serves provisioning (an edge sends a request, gets a certificate whose CN is its id) and tests.
Keys are ECDSA P-256, which every broker in use accepts.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from plumbing.files import read_private, write_private

CLIENT_DAYS = 365
AUTHORITY_DAYS = 3650
RENEW_AFTER = timedelta(days=120)
BACKDATED = timedelta(hours=24)  # a device with a slow clock must not see its new certificate as "not yet valid"


NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which Python has no name for
WRONG_DATE = "is not valid on"


class BadRequestError(Exception):
    """A certificate request that must not be signed; the message says why."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where one end keeps its trust and identity. Without *cert* and *key* it shows no certificate."""

    ca: Path
    cert: Path | None = None
    key: Path | None = None


def client_context(files: TlsFiles, utc_now: Callable[[], datetime] | None = None) -> ssl.SSLContext:
    """TLS 1.2+ that trusts only *files.ca* and checks the host name. Raises OSError, ssl.SSLError.

    With *utc_now* dates are checked by that clock instead of the system's, which may stand in 1970 after a power cut.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if utc_now is not None:
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        context.sslsocket_class = _dated(utc_now, x509.load_pem_x509_certificates(files.ca.read_bytes()))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(files.ca)
    if files.cert is not None:
        context.load_cert_chain(files.cert, files.key)
    return context


def _dated(utc_now: Callable[[], datetime], authorities: Sequence[x509.Certificate]) -> type[ssl.SSLSocket]:
    """A socket whose handshake ends with a look at the dates, before anything is said."""

    class DatedSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            shown, now = self.getpeercert(binary_form=True), utc_now()
            for one in (*([x509.load_der_x509_certificate(shown)] if shown else []), *authorities):
                if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
                    raise ssl.SSLCertVerificationError(f"{_common_name(one.subject)} {WRONG_DATE} {now:%Y-%m-%d %H:%M}")

    return DatedSocket


def server_context(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2+ for a listener; with *client_ca*, callers must show a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def make_request(key_path: Path, common_name: str) -> bytes:
    """A PEM certificate request for *common_name*; the key in *key_path* (0600) is made if absent."""
    if not key_path.exists():
        write_private(key_path, _pem(ec.generate_private_key(ec.SECP256R1())))
    request = x509.CertificateSigningRequestBuilder().subject_name(_name(common_name))
    return request.sign(_load(key_path), hashes.SHA256()).public_bytes(Encoding.PEM)


def common_name(cert_pem: bytes) -> str:
    """The CN of a certificate, which is the edge id on client certificates. Raises ValueError."""
    return _common_name(x509.load_pem_x509_certificate(cert_pem).subject)


class ForeignCertificateError(Exception):
    """A certificate that is not the one asked for; the message says why."""


def is_due(cert_pem: bytes, now: datetime) -> bool:
    """Is it time to renew: from day 120 of a year on (sync §9). Raises ValueError."""
    certificate = x509.load_pem_x509_certificate(cert_pem)
    return now >= certificate.not_valid_before_utc + BACKDATED + RENEW_AFTER


def check_renewed(cert_pem: bytes, files: TlsFiles, name: str) -> None:
    """Is *cert_pem* for *name*, for our own key, by the authority we trust? Raises ForeignCertificateError."""
    try:
        certificate = x509.load_pem_x509_certificate(cert_pem)
        authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
        certificate.verify_directly_issued_by(authority)
        ours = _load(files.key).public_key() if files.key else None
    except (ValueError, TypeError, OSError, InvalidSignature) as exc:
        raise ForeignCertificateError(f"not a certificate of our authority: {exc}") from exc
    if _common_name(certificate.subject) != name:
        raise ForeignCertificateError(f"it names {_common_name(certificate.subject)!r}")
    if ours is None or certificate.public_key() != ours:
        raise ForeignCertificateError("it is for another key")


def not_after(cert_pem: bytes) -> datetime:
    """When a certificate ends, UTC. Raises ValueError."""
    return x509.load_pem_x509_certificate(cert_pem).not_valid_after_utc


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority for one operator's edges and broker."""

    certificate_pem: bytes
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, name: str = "lotgate") -> Authority:
        """Make ``ca.pem`` and ``ca.key`` (0600) in *folder*. Raises FileExistsError."""
        key = ec.generate_private_key(ec.SECP256R1())
        write_private(folder / "ca.key", _pem(key))
        builder = _builder(_name(name), _name(name), key.public_key(), timedelta(days=AUTHORITY_DAYS))
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(Encoding.PEM)
        (folder / "ca.pem").write_bytes(pem)
        return cls(pem, key)

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """Read back what `create` wrote. Raises OSError, ExposedFileError, ValueError."""
        return cls((folder / "ca.pem").read_bytes(), _load(folder / "ca.key"))

    def issue_client(self, request_pem: bytes, edge_id: str, days: int = CLIENT_DAYS) -> bytes:
        """Sign an edge's request as a client certificate. Raises BadRequestError if it names another edge."""
        try:
            request = x509.load_pem_x509_csr(request_pem)
            valid = request.is_signature_valid
            named = _common_name(request.subject)
        except ValueError as exc:
            raise BadRequestError("not a PEM certificate request") from exc
        if not valid:
            raise BadRequestError("the request is not signed with its own key")
        if named != edge_id:
            raise BadRequestError(f"the request names {named!r}, but this edge is {edge_id!r}")
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise BadRequestError("the request must carry an elliptic-curve key")
        return self._issue(edge_id, key, timedelta(days=days), ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def issue_server(self, key_path: Path, hosts: Sequence[str], days: int = CLIENT_DAYS) -> bytes:
        """A server certificate for *hosts* (names or addresses), its key made in *key_path* if absent."""
        if not key_path.exists():
            write_private(key_path, _pem(ec.generate_private_key(ec.SECP256R1())))
        key = _load(key_path).public_key()
        return self._issue(hosts[0], key, timedelta(days=days), ExtendedKeyUsageOID.SERVER_AUTH, hosts)

    def _issue(
        self,
        subject: str,
        key: ec.EllipticCurvePublicKey,
        lifetime: timedelta,
        purpose: x509.ObjectIdentifier,
        hosts: Sequence[str],
    ) -> bytes:
        own = x509.load_pem_x509_certificate(self.certificate_pem)
        builder = (
            _builder(_name(subject), own.subject, key, lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lifetime: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(found) != 1:
        raise ValueError("exactly one common name is expected")
    return str(found[0].value)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(read_private(path), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path}: not an elliptic-curve private key")
    return key


def key_fingerprint(cert_pem: bytes) -> bytes:
    """SHA-256 of the certificate's public key (SubjectPublicKeyInfo), for pinning. Raises ValueError."""
    digest = hashes.Hash(hashes.SHA256())
    public = x509.load_pem_x509_certificate(cert_pem).public_key()
    digest.update(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize()
