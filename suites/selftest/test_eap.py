"""EAP: its packets, MS-CHAPv2, TLS in fragments, and IKE_AUTH by them between two endpoints."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers import eap as scapy_eap

from peers.ca import Authority, Flaw, KeyType
from peers.reference import eap_tls, mschapv2
from peers.reference import signature_schemes as schemes
from peers.reference.credentials import ByEap, EapTls, Md5, Mschapv2, Ppk, Signature
from peers.reference.decisions import Decisions
from peers.reference.eap import EapPacket, EapPeer, EapServer
from peers.reference.eap_md5 import Md5Peer, Md5Server
from peers.reference.eap_mschapv2 import Mschapv2Peer, Mschapv2Server, OpCode, Packet
from peers.reference.eap_tls import Flag, TlsPeer, TlsServer
from peers.reference.errors import AuthenticationFailure, MalformedMessage, PeerError, ScriptError
from peers.reference.identity import fqdn
from peers.reference.numbers import EapCode, EapType, HashAlgorithm
from suites.selftest.wires import LEFT, RIGHT, Wire, connection

NOW = 1_000_000_000.0
AUTHORITY = Authority(NOW)


def signer(name, flaw=None):
    scheme = schemes.ECDSA[HashAlgorithm.SHA2_256]
    return AUTHORITY.credential(fqdn(name), KeyType.ECDSA_P256, scheme, flaw)


CLIENT, SERVER = signer("left.test"), signer("right.test")
PASSWORD = Mschapv2(b"left.test", "schlüssel")
KEYLESS = Md5(b"left.test", "schlüssel")
TLS = EapTls(CLIENT, SERVER)

# Packets.

TYPED = st.builds(
    EapPacket,
    st.sampled_from([EapCode.REQUEST, EapCode.RESPONSE]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=64),
)
PLAIN = st.builds(
    EapPacket,
    st.sampled_from([EapCode.REQUEST, EapCode.RESPONSE]),
    st.integers(0, 255),
    st.sampled_from([EapType.IDENTITY, EapType.MSCHAPV2, 200]),
    st.binary(max_size=64),
)
"""Types that scapy has no layer of its own for."""

BARE = st.builds(
    EapPacket, st.sampled_from([EapCode.SUCCESS, EapCode.FAILURE]), st.integers(0, 255)
)


@given(TYPED | BARE)
def test_a_packet_comes_back(packet):
    assert EapPacket.decode(packet.encode()) == packet


@given(PLAIN | BARE)
def test_scapy_reads_the_same(packet):
    octets = packet.encode()
    theirs = scapy_eap.EAP(octets)

    assert (theirs.code, theirs.id, theirs.len) == (packet.code, packet.identifier, len(octets))
    if packet.type is not None:
        assert theirs.type == packet.type


@given(TYPED | BARE)
def test_a_packet_that_is_cut_anywhere_is_malformed(packet):
    octets = packet.encode()
    for size in range(len(octets)):
        with pytest.raises(MalformedMessage):
            EapPacket.decode(octets[:size])
    with pytest.raises(MalformedMessage):
        EapPacket.decode(octets + b"\0")


@pytest.mark.parametrize(
    "packet",
    [EapPacket(EapCode.REQUEST, 1), EapPacket(EapCode.SUCCESS, 1, EapType.TLS)],
    ids=["request-without-type", "success-with-type"],
)
def test_a_packet_that_makes_no_sense_is_our_error(packet):
    with pytest.raises(ScriptError):
        packet.encode()


@given(st.binary(max_size=40))
def test_any_octets_are_a_packet_or_malformed(octets):
    with suppress(MalformedMessage):
        assert EapPacket.decode(octets).encode() == octets


# MS-CHAPv2: RFC 2759 is among the vectors; RFC 3079, 3.5.3, goes on with its example.


def test_the_keys_of_rfc_3079():
    hashed = mschapv2.password_hash("clientPass".encode("utf-16-le"))
    response = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
    master = mschapv2.master_key(hashed, response)
    servers_send_key = mschapv2.start_key(master, client_sends=False)

    assert master.hex().upper() == "FDECE3717A8C838CB388E527AE3CDD31"
    assert servers_send_key.hex().upper() == "8B7CDC149B993A1BA118CB153F56DCCB"
    assert mschapv2.msk(hashed, response)[16:] == servers_send_key + bytes(32)


def mschapv2_packet(data):
    return EapPacket(EapCode.REQUEST, 1, EapType.MSCHAPV2, data)


def drawing(seed=1):
    return random.Random(seed).randbytes


def converse(peer, server):
    """Let both ends talk until the server is done; give its last packet."""
    octets = server.start()
    for _ in range(64):
        answer = peer.hear(octets)
        if answer is None:
            break
        octets = server.hear(answer)
        if octets[0] == EapCode.FAILURE:
            break
    return octets


def passwords(ours, theirs, decide=None):
    decide = decide or Decisions()
    peer = Mschapv2Peer(ours, drawing(), decide)
    server = Mschapv2Server(theirs, drawing(2), decide)
    return EapPeer(peer, ours.user, decide), EapServer(server)


def test_both_ends_of_mschapv2_have_the_same_key():
    peer, server = passwords(PASSWORD, PASSWORD)

    assert converse(peer, server)[0] == EapCode.SUCCESS
    assert peer.method.msk == server.method.msk
    assert len(peer.method.msk) == 64
    assert any(peer.method.msk)


@pytest.mark.parametrize(
    "wrong",
    [replace(PASSWORD, password="x"), replace(PASSWORD, user=b"right.test")],
    ids=["password", "user"],
)
def test_another_password_or_user_fails(wrong):
    peer, server = passwords(wrong, PASSWORD)

    assert converse(peer, server)[0] == EapCode.FAILURE
    assert not server.succeeded
    assert peer.method.msk == server.method.msk == b""


def test_an_identity_is_told_and_a_notification_is_acknowledged():
    peer, _ = passwords(PASSWORD, PASSWORD)

    for kind, data in ((EapType.IDENTITY, b"left.test"), (EapType.NOTIFICATION, b"")):
        answer = EapPacket.decode(peer.hear(EapPacket(EapCode.REQUEST, 7, kind).encode()))
        assert answer == EapPacket(EapCode.RESPONSE, 7, kind, data)


@pytest.mark.parametrize("cut", range(60))
def test_a_challenge_or_a_response_that_is_cut_is_no_crash(cut):
    peer, server = passwords(PASSWORD, PASSWORD)
    challenge = server.method.start()
    response = peer.method.answer(mschapv2_packet(challenge))
    again, _ = passwords(PASSWORD, PASSWORD)

    with pytest.raises(PeerError):
        again.method.answer(mschapv2_packet(challenge[: min(cut, len(challenge) - 1)]))
    if cut < 54:
        with pytest.raises(PeerError):
            server.method.hear(mschapv2_packet(response[:cut]))


def test_a_success_before_the_challenge_is_refused():
    peer, _ = passwords(PASSWORD, PASSWORD)
    success = Packet(OpCode.SUCCESS, 1, b"S=" + b"0" * 40)

    with pytest.raises(AuthenticationFailure):
        peer.method.answer(mschapv2_packet(success.encode()))


# MD5-Challenge.


def by_md5(ours=KEYLESS, theirs=KEYLESS):
    server = Md5Server(theirs, drawing(), Decisions())
    return EapPeer(Md5Peer(ours), ours.user, Decisions()), EapServer(server)


def test_a_response_is_that_of_the_example_in_rfc_2865():
    # RFC 2865, 7.2: CHAP identifier 22; the password is that of 7.1.
    challenge = bytes.fromhex("2aee86f08d0d55969ca5978e0d3367a2")
    peer = Md5Peer(Md5(b"flopsy", "arctangent"))
    asked = EapPacket(EapCode.REQUEST, 22, EapType.MD5_CHALLENGE, b"\x10" + challenge)

    assert peer.answer(asked).hex() == "10e97557c316185895f293ff6344077275"


def test_scapy_reads_a_challenge_and_its_response():
    peer, server = by_md5()
    challenge = server.start()
    response = peer.hear(challenge)

    for octets in (challenge, response):
        theirs = scapy_eap.EAP_MD5(octets)
        assert (theirs.type, theirs.value_size) == (EapType.MD5_CHALLENGE, 16)
        assert theirs.value == octets[6:]


def test_both_ends_of_md5_agree_and_have_no_key():
    peer, server = by_md5()

    assert converse(peer, server)[0] == EapCode.SUCCESS
    assert peer.method.done
    assert peer.method.msk is server.method.msk is None


def test_another_password_fails_by_md5():
    peer, server = by_md5(replace(KEYLESS, password="x"))

    assert converse(peer, server)[0] == EapCode.FAILURE
    assert not server.succeeded


@pytest.mark.parametrize("data", [b"", b"\0", b"\x10" + bytes(15)], ids=["", "none", "cut"])
def test_a_challenge_without_value_is_malformed(data):
    packet = EapPacket(EapCode.REQUEST, 1, EapType.MD5_CHALLENGE, data)

    with pytest.raises(MalformedMessage):
        Md5Peer(KEYLESS).answer(packet)


# TLS.


def tls(credential=TLS, client="left.test", server="right.test"):
    peer = TlsPeer(credential, fqdn(server), NOW, Decisions())
    return EapPeer(peer, b"", Decisions()), EapServer(
        TlsServer(credential, fqdn(client), NOW, Decisions())
    )


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_both_ends_of_tls_have_the_same_key(version, monkeypatch):
    most = {"TLSv1.2": eap_tls.SSL.TLS1_2_VERSION, "TLSv1.3": eap_tls.SSL.TLS1_3_VERSION}[version]
    make = eap_tls._context

    def limited(*arguments):
        context = make(*arguments)
        context.set_max_proto_version(most)
        return context

    monkeypatch.setattr(eap_tls, "_context", limited)
    peer, server = tls()

    assert converse(peer, server)[0] == EapCode.SUCCESS
    assert peer.method.is_version_3 is (version == "TLSv1.3")
    assert peer.method.msk == server.method.msk
    assert len(peer.method.msk) == 64


@pytest.mark.parametrize(
    "credential",
    [
        EapTls(signer("left.test", Flaw.EXPIRED), SERVER),
        EapTls(signer("left.test", Flaw.UNKNOWN_CA), SERVER),
        EapTls(signer("other.test"), SERVER),
        EapTls(CLIENT, signer("right.test", Flaw.EXPIRED)),
        EapTls(CLIENT, signer("other.test")),
    ],
    ids=["client-expired", "client-unknown-ca", "client-name", "server-expired", "server-name"],
)
def test_a_certificate_that_is_not_to_be_believed_fails(credential):
    peer, server = tls(credential)

    try:
        assert converse(peer, server)[0] == EapCode.FAILURE
    except AuthenticationFailure:
        assert not server.succeeded


@given(st.binary(max_size=5000))
def test_a_flight_of_tls_comes_back_from_its_fragments(octets):
    whole = b""
    pieces = list(eap_tls.fragments(octets, 1024))
    for number, piece in enumerate(pieces):
        flags, body = eap_tls.read(piece)
        assert (Flag.MORE in flags) is (number + 1 < len(pieces))
        whole += body
    assert whole == octets


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80\0\0\0", b"\x16garbage"])
def test_what_is_no_tls_is_no_crash(data):
    _, server = tls()
    server.start()

    answer = server.hear(EapPacket(EapCode.RESPONSE, 1, EapType.TLS, data).encode())

    assert answer[0] in (EapCode.FAILURE, EapCode.REQUEST)
    assert not server.succeeded


def test_fragments_without_end_are_given_up():
    _, server = tls()
    packet = server.start()
    for _ in range(100):
        if packet[0] == EapCode.FAILURE:
            break
        more = bytes([Flag.MORE]) + bytes(1024)
        packet = server.hear(EapPacket(EapCode.RESPONSE, packet[1], EapType.TLS, more).encode())

    assert packet[0] == EapCode.FAILURE


# IKE_AUTH.


def by(credential, responder: Signature | ByEap = SERVER, **more):
    return replace(connection(), local_credential=credential, remote_credential=responder, **more)


def establishing(described, right=None):
    wire = Wire(described, right=right)
    wire.now = NOW
    wire.establish()
    return wire


PPK = Ppk(b"one", b"1" * 32)


@pytest.mark.parametrize("ppk", [{}, {"ppks": (PPK,), "ppk_required": True}], ids=["", "ppk"])
@pytest.mark.parametrize(
    ("credential", "responder"),
    [(PASSWORD, SERVER), (KEYLESS, SERVER), (TLS, SERVER), (TLS, ByEap())],
    ids=["mschapv2", "md5", "tls", "tls-alone"],
)
def test_an_initiator_authenticates_by_eap(credential, responder, ppk):
    wire = establishing(by(credential, responder, **ppk))

    assert wire.up()
    assert [s.sa.ppk for e in wire.both for s in e.sessions] == [PPK if ppk else None] * 2
    assert [s.sa.msk for e in wire.both for s in e.sessions] == [b"", b""]
    assert wire.echoes(LEFT)
    assert wire.echoes(RIGHT)


def test_a_password_alone_is_not_safe_enough():
    wire = establishing(by(PASSWORD, ByEap()))

    assert wire.left.sessions == wire.right.sessions == []


def test_a_wrong_password_leaves_nothing_behind():
    described = by(PASSWORD)
    right = replace(described.mirrored(), remote_credential=replace(PASSWORD, password="x"))

    wire = establishing(described, right)

    assert wire.left.sessions == wire.right.sessions == []


def test_eap_where_it_is_not_configured_is_refused():
    described = by(PASSWORD)
    right = replace(described.mirrored(), remote_credential=CLIENT)

    wire = establishing(described, right)

    assert wire.left.sessions == wire.right.sessions == []
    assert any("authentication failed" in line for _, line in wire.right.log)


def test_each_lost_message_is_sent_again():
    for lost in range(12):
        wire = Wire(
            by(PASSWORD), lambda number, packet, lost=lost: [] if number == lost else [packet]
        )
        wire.now = NOW
        wire.establish()
        wire.wait()
        assert wire.up(), f"message {lost}"
