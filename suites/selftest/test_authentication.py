"""Identities and credentials: each method between two endpoints, and each way to be refused."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from peers.ca import Authority, Flaw, KeyType, distinguished_name
from peers.reference import certificates, identity, signatures
from peers.reference import signature_schemes as schemes
from peers.reference.credentials import Null, Psk
from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.identity import NULL_IDENTITY, Identity, fqdn
from peers.reference.numbers import AuthMethod, CertEncoding, HashAlgorithm, IdType, NotifyType
from peers.reference.payloads import AUTH, CERT, IDi, IDr, Notify
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

IDENTITIES = [
    (identity.fqdn("target.test"), IdType.ID_FQDN, b"target.test", "target.test"),
    (identity.rfc822("a@b.test"), IdType.ID_RFC822_ADDR, b"a@b.test", "a@b.test"),
    (identity.address(ip_address("192.0.2.1")), IdType.ID_IPV4_ADDR, b"\xc0\0\2\1", "192.0.2.1"),
    (identity.address(ip_address("::1")), IdType.ID_IPV6_ADDR, bytes(15) + b"\1", "::1"),
    (identity.key_id(b"\0\xff"), IdType.ID_KEY_ID, b"\0\xff", "0x00ff"),
    (identity.distinguished_name(b"0\0"), IdType.ID_DER_ASN1_DN, b"0\0", "0x3000"),
    (NULL_IDENTITY, IdType.ID_NULL, b"", "ID_NULL"),
]


@pytest.mark.parametrize(("value", "kind", "data", "text"), IDENTITIES)
def test_an_identity_becomes_a_payload_and_comes_back(value, kind, data, text):
    assert value.payload(of_initiator=True) == IDi(kind, data)
    assert value.payload(of_initiator=False) == IDr(kind, data)
    assert Identity.of(IDi(kind, data)) == value
    assert str(value) == text


@pytest.mark.parametrize("value", [each[0] for each in IDENTITIES], ids=str)
def test_each_type_of_identity_authenticates(value):
    wire = Wire(replace(connection(), local_identity=value))

    wire.establish()

    assert wire.up()


CREDENTIALS = {"psk": Psk(b"one"), "another psk": Psk(b"two"), "null": Null()}


@pytest.mark.parametrize("right", CREDENTIALS)
@pytest.mark.parametrize("left", CREDENTIALS)
def test_each_side_has_a_method_of_its_own(left, right):
    described = replace(
        connection(),
        local_credential=CREDENTIALS[left],
        remote_credential=CREDENTIALS[right],
    )
    wire = Wire(described)

    wire.establish()

    assert wire.up()
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


@pytest.mark.parametrize("has", CREDENTIALS)
@pytest.mark.parametrize("expected", CREDENTIALS)
@pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["initiator", "responder"])
def test_another_credential_than_the_expected_is_refused(has, expected, side):
    described = replace(
        connection(),
        local_credential=CREDENTIALS[expected],
        remote_credential=CREDENTIALS[expected],
    )
    other = CREDENTIALS[has]
    left = replace(described, local_credential=other) if side == LEFT else described
    right = described.mirrored()
    wire = Wire(left, right=replace(right, local_credential=other) if side == RIGHT else right)

    wire.establish()

    assert wire.up() is (has == expected)
    if has != expected:
        assert wire.left.sessions == wire.right.sessions == []


# Signatures.

NOW = 1_000_000_000.0
AUTHORITY = Authority(NOW)

SHA1, SHA2_256 = HashAlgorithm.SHA1, HashAlgorithm.SHA2_256
SHA2_384, SHA2_512 = HashAlgorithm.SHA2_384, HashAlgorithm.SHA2_512

SIGNED = [
    (KeyType.RSA_2048, schemes.RSA[SHA1]),
    (KeyType.RSA_2048, schemes.RSA[SHA2_256]),
    (KeyType.ECDSA_P256, schemes.ECDSA_256),
    (KeyType.ECDSA_P384, schemes.ECDSA_384),
    (KeyType.ECDSA_P521, schemes.ECDSA_521),
    *((KeyType.RSA_2048, schemes.RSA_PKCS1[each]) for each in (SHA2_256, SHA2_384, SHA2_512)),
    *((KeyType.RSA_2048, schemes.RSA_PSS[each]) for each in (SHA2_256, SHA2_384, SHA2_512)),
    (KeyType.ECDSA_P256, schemes.ECDSA[SHA2_256]),
    (KeyType.ECDSA_P384, schemes.ECDSA[SHA2_384]),
    (KeyType.ECDSA_P521, schemes.ECDSA[SHA2_512]),
    (KeyType.ECDSA_P256, schemes.ECDSA[SHA2_512]),
    (KeyType.ED25519, schemes.ED25519),
    (KeyType.ED448, schemes.ED448),
]
EACH_SIGNATURE = pytest.mark.parametrize(
    ("kind", "scheme"), SIGNED, ids=[f"{kind.value}-{scheme}" for kind, scheme in SIGNED]
)
SIDES = pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["initiator", "responder"])


def signed(kind, scheme, flaw=None, **changes):
    """Describe a connection on which both sides sign; the left one's certificate has the flaw."""
    described = replace(connection(), **changes)
    return replace(
        described,
        local_credential=AUTHORITY.credential(described.local_identity, kind, scheme, flaw),
        remote_credential=AUTHORITY.credential(described.remote_identity, kind, scheme),
    )


def establishing(described, side=LEFT, **options):
    """Let both ends try; the described one on that side, and the initiator is on the left."""
    wire = Wire(described if side == LEFT else described.mirrored(), **options)
    wire.now = NOW
    wire.establish()
    return wire


@EACH_SIGNATURE
def test_each_signature_authenticates_both_sides(kind, scheme):
    wire = establishing(signed(kind, scheme))

    assert wire.up(), wire.left.log + wire.right.log
    assert wire.echoes(LEFT)
    digital = scheme.method == AuthMethod.DIGITAL_SIGNATURE
    told = [s.sa.peer_hashes is not None for e in wire.both for s in e.sessions]
    assert told == [digital, digital]


class Tampers(Decisions):
    """Signs what is then changed in one bit."""

    def edit(self, message):
        auth = message.find(AUTH)
        if auth is None:
            return message
        changed = auth.data[:-1] + bytes([auth.data[-1] ^ 1])
        return message.replacing(AUTH(auth.method, changed))


@EACH_SIGNATURE
@SIDES
def test_a_tampered_signature_is_refused(kind, scheme, side):
    faulty = (Tampers(), None) if side == LEFT else (None, Tampers())

    wire = establishing(signed(kind, scheme), decisions=faulty)

    assert wire.left.sessions == wire.right.sessions == []


class Truncates(Decisions):
    """Leaves octets out of AUTH."""

    def __init__(self, size):
        self.size = size

    def edit(self, message):
        auth = message.find(AUTH)
        return message.replacing(AUTH(auth.method, auth.data[: self.size])) if auth else message


@pytest.mark.parametrize("size", [0, 1, 2, 5, 14, 16, 40, 63])
@pytest.mark.parametrize(
    ("kind", "scheme"),
    [(KeyType.ECDSA_P256, schemes.ECDSA[SHA2_256]), (KeyType.ECDSA_P256, schemes.ECDSA_256)],
    ids=["digital", "legacy"],
)
def test_a_truncated_signature_is_refused(kind, scheme, size):
    wire = establishing(signed(kind, scheme), decisions=(Truncates(size), None))

    assert wire.left.sessions == wire.right.sessions == []


CERTIFIED = [
    fqdn("left.test"),
    identity.rfc822("left@peer.test"),
    identity.address(ip_address("192.0.2.1")),
    identity.address(ip_address("2001:db8::1")),
    distinguished_name("left"),
]


@pytest.mark.parametrize("value", CERTIFIED, ids=str)
def test_each_identity_that_a_certificate_can_name(value):
    described = signed(KeyType.ECDSA_P256, schemes.ECDSA_256, local_identity=value)

    assert establishing(described).up()


def test_a_certificate_names_no_key_id():
    value = identity.key_id(b"left.test")
    described = signed(KeyType.ECDSA_P256, schemes.ECDSA_256, local_identity=value)

    assert not establishing(described).up()


@SIDES
@pytest.mark.parametrize("flaw", Flaw)
def test_each_flaw_of_a_certificate_is_seen(flaw, side):
    wire = establishing(signed(KeyType.ECDSA_P256, schemes.ECDSA[SHA2_256], flaw), side)

    assert wire.left.sessions == wire.right.sessions == []
    reasons = [line for end in wire.both for _, line in end.log if "certificate of" in line]
    assert len(reasons) == 1, reasons


@SIDES
def test_without_an_acceptable_hash_nobody_is_authenticated(side):
    """Only SHA-1 is announced, which we do not take ourselves: no AUTH can be made for it."""

    class AnnouncesSha1(Decisions):
        def edit(self, message):
            if message.find_notify(NotifyType.SIGNATURE_HASH_ALGORITHMS) is None:
                return message
            payloads = tuple(
                replace(p, data=b"\0\7")
                if isinstance(p, Notify) and p.notify_type == NotifyType.SIGNATURE_HASH_ALGORITHMS
                else p
                for p in message.payloads
            )
            return replace(message, payloads=payloads)

    faulty = (AnnouncesSha1(), None) if side == LEFT else (None, AnnouncesSha1())

    wire = establishing(signed(KeyType.ECDSA_P256, schemes.ECDSA[SHA2_256]), decisions=faulty)

    assert not wire.up()
    lines = [line for end in wire.both for _, line in end.log]
    assert any("takes nothing that our key can sign with" in line for line in lines)


def test_signatures_on_one_side_and_a_secret_on_the_other():
    described = replace(
        signed(KeyType.ED25519, schemes.ED25519), remote_credential=Psk(b"a shared secret")
    )

    assert establishing(described).up()
    assert establishing(described, RIGHT).up()


@pytest.mark.parametrize("encoding", [CertEncoding.HASH_AND_URL_X509, CertEncoding.PGP])
def test_an_encoding_that_we_do_not_take_is_refused(encoding):
    class Encodes(Decisions):
        def edit(self, message):
            payloads = tuple(
                CERT(encoding, p.data) if isinstance(p, CERT) else p for p in message.payloads
            )
            return replace(message, payloads=payloads)

    wire = establishing(signed(KeyType.ECDSA_P256, schemes.ECDSA_256), decisions=(Encodes(), None))

    assert wire.left.sessions == wire.right.sessions == []


def test_a_certificate_that_is_changed_anywhere_is_read_or_refused():
    """What the parser raises for it is none of its caller's business."""
    name = fqdn("a.test")
    octets = AUTHORITY.credential(name, KeyType.ECDSA_P256, schemes.ECDSA_256).chain[0]
    refused = 0
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            certificates.load(bytes(changed))
        except PeerError:
            refused += 1

    assert 0 < refused < 8 * len(octets)


RFC_4754 = [
    pytest.param(
        ec.SECP256R1(),
        schemes.ECDSA_256,
        "2442A5CC0ECD015FA3CA31DC8E2BBC70BF42D60CBCA20085E0822CB04235E970",
        "6FC98BD7E50211A4A27102FA3549DF79EBCB4BF246B80945CDDFE7D509BBFD7D",
        "CB28E0999B9C7715FD0A80D8E47A77079716CBBF917DD72E97566EA1C066957C",
        "86FA3BB4E26CAD5BF90B7F81899256CE7594BB1EA0C89212748BFF3B3D5B0315",
        id="ecdsa-256",
    ),
    pytest.param(
        ec.SECP384R1(),
        schemes.ECDSA_384,
        "96281BF8DD5E0525CA049C048D345D3082968D10FEDF5C5ACA0C64E6465A97EA5CE10C9DFEC21797"
        "415710721F437922",
        "447688BA94708EB6E2E4D59F6AB6D7EDFF9301D249FE49C33096655F5D502FAD3D383B91C5E7EDAA"
        "2B714CC99D5743CA",
        "FB017B914E29149432D8BAC29A514640B46F53DDAB2C69948084E2930F1C8F7E08E07C9C63F2D21A"
        "07DCB56A6AF56EB3",
        "B263A1305E057F984D38726A1B46874109F417BCA112674C528262A40A629AF1CBB9F516CE0FA7D2"
        "FF630863A00E8B9F",
        id="ecdsa-384",
    ),
    pytest.param(
        ec.SECP521R1(),
        schemes.ECDSA_521,
        "0151518F1AF0F563517EDD5485190DF95A4BF57B5CBA4CF2A9A3F6474725A35F7AFE0A6DDEB8BEDB"
        "CD6A197E592D40188901CECD650699C9B5E456AEA5ADD19052A8",
        "006F3B142EA1BFFF7E2837AD44C9E4FF6D2D34C73184BBAD90026DD5E6E85317D9DF45CAD7803C6C"
        "20035B2F3FF63AFF4E1BA64D1C077577DA3F4286C58F0AEAE643",
        "0154FD3836AF92D0DCA57DD5341D3053988534FDE8318FC6AAAAB68E2E6F4339B19F2F281A7E0B22"
        "C269D93CF8794A9278880ED7DBB8D9362CAEACEE544320552251",
        "017705A7030290D1CEB605A9A1BB03FF9CDD521E87A696EC926C8C10C8362DF4975367101F67D1CF"
        "9BCCBF2F3D239534FA509E70AAC851AE01AAC68D62F866472660",
        id="ecdsa-521",
    ),
]


@pytest.mark.parametrize(("curve", "scheme", "x", "y", "r", "s"), RFC_4754)
def test_the_signature_that_rfc_4754_prints(curve, scheme, x, y, r, s):
    """Section 8: the message is "abc"; r and s are of the curve's width, with zeros in front."""
    point = ec.EllipticCurvePublicNumbers(int(x, 16), int(y, 16), curve)
    key, width = point.public_key(), 2 * ((scheme.order_bits + 7) // 8)
    signature = bytes.fromhex(r.zfill(width) + s.zfill(width))

    assert signatures.verifies(scheme, key, signature, b"abc")
    assert not signatures.verifies(scheme, key, signature, b"abd")
    assert not signatures.verifies(scheme, key, signature[:-1], b"abc")
    assert not signatures.verifies(scheme, key, signature + b"\0", b"abc")
    for other in (schemes.ECDSA_256, schemes.ECDSA_384, schemes.ECDSA_521):
        assert signatures.verifies(other, key, signature, b"abc") is (other is scheme)


def test_the_authority_says_what_was_revoked():
    authority = Authority(NOW)
    good, bad = (
        authority.credential(fqdn("a.test"), KeyType.ECDSA_P256, schemes.ECDSA_256, flaw)
        for flaw in (None, Flaw.REVOKED)
    )

    states = [
        ocsp.load_der_ocsp_response(authority.ocsp_response(each.chain[0])).certificate_status
        for each in (good, bad)
    ]

    assert states == [ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED]
    assert len(x509.load_der_x509_crl(authority.crl())) == 1
