"""AlgorithmIdentifiers of AUTH, against the octets that RFC 7427 prints in its appendix A."""

from __future__ import annotations

import pytest

from peers.reference import der
from peers.reference.errors import MalformedMessage, PeerError
from peers.reference.numbers import HashAlgorithm
from peers.reference.signature_schemes import (
    DIGITAL,
    ECDSA,
    ED448,
    ED25519,
    RSA_PKCS1,
    RSA_PSS,
    read_identifier,
)

SHA1, SHA2_256 = HashAlgorithm.SHA1, HashAlgorithm.SHA2_256
SHA2_384, SHA2_512 = HashAlgorithm.SHA2_384, HashAlgorithm.SHA2_512

WRITTEN = [
    # Appendix A.1 and A.3 of RFC 7427; RFC 8420, A.
    (RSA_PKCS1[SHA1], "300d06092a864886f70d0101050500"),
    (RSA_PKCS1[SHA2_256], "300d06092a864886f70d01010b0500"),
    (RSA_PKCS1[SHA2_384], "300d06092a864886f70d01010c0500"),
    (RSA_PKCS1[SHA2_512], "300d06092a864886f70d01010d0500"),
    (ECDSA[SHA1], "300906072a8648ce3d0401"),
    (ECDSA[SHA2_256], "300a06082a8648ce3d040302"),
    (ECDSA[SHA2_384], "300a06082a8648ce3d040303"),
    (ECDSA[SHA2_512], "300a06082a8648ce3d040304"),
    (ED25519, "300506032b6570"),
    (ED448, "300506032b6571"),
]

READ = [
    # Appendix A.4: empty parameters, the defaults spelled out, SHA-256 with its trailer field.
    (RSA_PSS[SHA1], "300d06092a864886f70d01010a3000"),
    (
        RSA_PSS[SHA1],
        "303e06092a864886f70d01010a3031a00b300906052b0e03021a0500a1183016"
        "06092a864886f70d010108300906052b0e03021a0500a203020114a303020101",
    ),
    (
        RSA_PSS[SHA2_256],
        "304606092a864886f70d01010a3039a00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500a203"
        "020120a303020101",
    ),
]


@pytest.mark.parametrize(("scheme", "printed"), WRITTEN, ids=lambda value: str(value)[:20])
def test_identifiers_are_those_that_the_rfcs_print(scheme, printed):
    assert scheme.identifier().hex() == printed
    assert read_identifier(bytes.fromhex(printed)) == scheme


@pytest.mark.parametrize(("scheme", "printed"), READ, ids=["empty", "default", "sha-256"])
def test_pss_parameters_are_read_as_the_rfc_prints_them(scheme, printed):
    assert read_identifier(bytes.fromhex(printed)) == scheme


@pytest.mark.parametrize("scheme", DIGITAL, ids=str)
def test_what_is_written_is_read_and_every_truncation_refused(scheme):
    octets = scheme.identifier()

    assert read_identifier(octets) == scheme
    for size in range(len(octets)):
        with pytest.raises(PeerError):
            read_identifier(octets[:size])


@pytest.mark.parametrize("scheme", DIGITAL, ids=str)
def test_no_changed_octet_escapes_as_anything_but_a_peer_error(scheme):
    octets = scheme.identifier()
    for place in range(len(octets)):
        for value in (0, 1, 0x7F, 0x80, 0xFF, octets[place] ^ 1):
            changed = octets[:place] + bytes([value]) + octets[place + 1 :]
            try:
                read = read_identifier(changed)
            except PeerError:
                continue
            assert read.method == scheme.method


def test_null_parameters_are_taken_where_none_are_preferred():
    assert read_identifier(bytes.fromhex("300c06082a8648ce3d0403020500")) == ECDSA[SHA2_256]


def test_pss_without_parameters_is_malformed():
    with pytest.raises(MalformedMessage, match="without its parameters"):
        read_identifier(bytes.fromhex("300b06092a864886f70d01010a"))


def test_pss_with_two_hashes_is_refused():
    octets = RSA_PSS[SHA2_256].identifier()
    mixed = octets.replace(bytes.fromhex("0402010500a2"), bytes.fromhex("0402020500a2"))

    assert mixed != octets
    with pytest.raises(PeerError, match="nobody uses"):
        read_identifier(mixed)


def test_object_identifiers():
    assert der.object_identifier("2.16.840.1.101.3.4.2.1").hex() == "0609608648016503040201"
