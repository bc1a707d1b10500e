"""Connections as the daemons' configurations say them."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from peers.ca import Authority, KeyType
from peers.reference import signature_schemes as schemes
from peers.reference.additional import addke
from peers.reference.connection import AddressPool, Mode
from peers.reference.credentials import OcspResponder, Ppk, Psk, Revocation
from peers.reference.errors import ScriptError
from peers.reference.identity import address
from peers.reference.numbers import (
    Encr,
    Esn,
    HashAlgorithm,
    Integ,
    KeyExchangeMethod,
    TransformType,
)
from peers.reference.payloads import Transform
from peers.reference.traffic_selectors import traffic_selector
from peers.targets import libreswan_auth, libreswan_config, strongswan_auth, strongswan_config
from peers.targets.kernel import echo_addresses
from suites.selftest.lab_connections import (
    CBC_128,
    CHACHA,
    CONNECTION,
    ECP,
    GCM_256,
    MODP,
    NO_ESN,
    SHA2,
    SHA2_MAC,
    X25519,
    encr,
    esn,
    esp,
    ike,
    integ,
    ke,
)

STRONGSWAN = [
    (ike(GCM_256, SHA2, X25519), "aes256gcm16-prfsha256-x25519"),
    (ike(CBC_128, SHA2, SHA2_MAC, MODP), "aes128-sha256-prfsha256-modp2048"),
    (ike(CHACHA, SHA2, ECP), "chacha20poly1305-prfsha256-ecp256"),
    (ike(GCM_256, CBC_128, SHA2_MAC, SHA2, MODP, X25519),
     "aes256gcm16-aes128-sha256-prfsha256-modp2048-x25519"),
    (esp(GCM_256, NO_ESN), "aes256gcm16-noesn"),
    (esp(GCM_256, esn(Esn.ESN), NO_ESN), "aes256gcm16-esn-noesn"),
    (esp(GCM_256, integ(Integ.NONE), NO_ESN), "aes256gcm16-noesn"),
    (esp(CBC_128, SHA2_MAC, ECP, NO_ESN), "aes128-sha256-ecp256-noesn"),
]  # fmt: skip


@pytest.mark.parametrize(("proposal", "text"), STRONGSWAN)
def test_strongswan_words(proposal, text):
    assert strongswan_config.proposal_text(proposal) == text


LIBRESWAN_IKE = [
    (ike(GCM_256, SHA2, X25519), "aes_gcm_16_256-sha2_256-dh31"),
    (ike(CBC_128, SHA2, SHA2_MAC, MODP), "aes_cbc_128-sha2_256-modp2048"),
    (ike(GCM_256, CHACHA, SHA2, X25519, ECP),
     "aes_gcm_16_256+chacha20_poly1305-sha2_256-dh31+dh19"),
]  # fmt: skip

LIBRESWAN_ESP = [
    (esp(GCM_256, NO_ESN), "aes_gcm_16_256-none"),
    (esp(GCM_256, ECP, NO_ESN), "aes_gcm_16_256-none-dh19"),
    (esp(CBC_128, SHA2_MAC, NO_ESN), "aes_cbc_128-sha2_256"),
    (esp(CHACHA), "chacha20_poly1305-none"),
]


@pytest.mark.parametrize(("proposal", "text"), LIBRESWAN_IKE)
def test_libreswan_ike_words(proposal, text):
    assert libreswan_config.ike_text(proposal) == text


@pytest.mark.parametrize(("proposal", "text"), LIBRESWAN_ESP)
def test_libreswan_esp_words(proposal, text):
    assert libreswan_config.esp_text(proposal) == text


UNSAYABLE = [
    # what has no word, which rendering refuses it, what it names
    (strongswan_config.proposal_text, ike(encr(Encr.ENCR_IDEA), SHA2, X25519), "IDEA"),
    (strongswan_config.proposal_text, ike(encr(Encr.ENCR_AES_CBC), SHA2, X25519), "key length"),
    (strongswan_config.proposal_text, esp(Transform(TransformType(200), 1)), "of type"),
    (libreswan_config.ike_text, ike(GCM_256, SHA2, addke(1, KeyExchangeMethod.ECP_256)), "ADDKE1"),
    (libreswan_config.ike_text, ike(GCM_256, SHA2, ke(KeyExchangeMethod.CURVE448)), "CURVE448"),
    (libreswan_config.ike_text,
     ike(CBC_128, SHA2, integ(Integ.AUTH_HMAC_SHA2_512_256), MODP), "sha2_512"),
    (libreswan_config.esp_text, esp(encr(Encr.ENCR_BLOWFISH, 128)), "BLOWFISH"),
]  # fmt: skip


@pytest.mark.parametrize(("render", "proposal", "named"), UNSAYABLE)
def test_what_has_no_word_is_our_error_and_is_named(render, proposal, named):
    with pytest.raises(ScriptError, match=named):
        render(proposal)


def test_additional_key_exchanges_are_said_by_their_place():
    proposal = ike(
        GCM_256,
        SHA2,
        X25519,
        addke(1, KeyExchangeMethod.ML_KEM_768),
        addke(3, KeyExchangeMethod.ECP_384),
        addke(3, KeyExchangeMethod.NONE),
    )

    text = strongswan_config.proposal_text(proposal)

    assert text == "aes256gcm16-prfsha256-x25519-ke1_mlkem768-ke3_ecp384-ke3_none"


def test_proposals_keep_their_order():
    swanctl = strongswan_config.swanctl_conf(CONNECTION)
    ipsec = libreswan_config.ipsec_conf(CONNECTION)

    assert "esp_proposals = aes128-sha256-noesn, aes256gcm16-noesn\n" in swanctl
    assert "\tesp=aes_cbc_128-sha2_256,aes_gcm_16_256-none\n" in ipsec


def test_swanctl_conf_says_what_is_loaded():
    text = strongswan_config.swanctl_conf(replace(CONNECTION, mode=Mode.TRANSPORT))

    for line in (
        "remote_addrs = 198.18.32.1",
        "mode = transport",
        "id = fqdn:target.test",
        "local_ts = 10.1.0.0/24",
        "replay_window = 64",
        "secret = 0x6e6f74206120736563726574",
    ):
        assert f" {line}\n" in text
    assert text.count("{") == text.count("}")


def test_ipsec_conf_says_what_is_loaded():
    text = libreswan_config.ipsec_conf(replace(CONNECTION, liveness_delay=1.5))

    for line in ("leftid=@target.test", "rightsubnet=10.128.0.0/24", "esn=no", "dpddelay=2s"):
        assert f"\t{line}\n" in text
    assert libreswan_auth.ipsec_secrets(CONNECTION) == (
        '@target.test @peer.test : PSK "not a secret"\n'
    )


def test_libreswan_4_and_5_are_told_in_their_own_words():
    old, new = (libreswan_config.ipsec_conf(CONNECTION, major) for major in (4, 5))

    assert "\tikev2=insist\n\tkeyingtries=1\n" in old
    assert "\tkeyexchange=ikev2\n" in new
    assert "keyingtries" not in new


SEQUENCE_NUMBERS = [
    ((Esn.NO_ESN,), "no"),
    ((Esn.ESN,), "yes"),
    ((Esn.ESN, Esn.NO_ESN), "either"),
]


@pytest.mark.parametrize(("numbers", "word"), SEQUENCE_NUMBERS)
def test_libreswan_has_one_setting_for_sequence_numbers(numbers, word):
    proposal = esp(GCM_256, *map(esn, numbers))

    text = libreswan_config.ipsec_conf(replace(CONNECTION, esp_proposals=(proposal,)))

    assert f"\tesn={word}\n" in text


@pytest.mark.parametrize("name", ["", "1st", "a b", "a;b", "a'b", "a\nb"])
def test_a_name_that_no_configuration_can_carry_is_refused(name):
    for render in (strongswan_config.swanctl_conf, libreswan_config.ipsec_conf):
        with pytest.raises(ScriptError, match="named"):
            render(replace(CONNECTION, name=name))


ECHOES = [
    # mode, local selector, remote selector, source, destination
    (Mode.TUNNEL, "10.1.0.0/24", "10.128.0.0/24", "10.1.0.1", "10.128.0.1"),
    (Mode.TUNNEL, "10.1.0.7/32", "10.128.0.9/32", "10.1.0.7", "10.128.0.9"),
    (Mode.TUNNEL, "10.0.0.0/8", "10.128.0.9/32", "10.1.0.1", "10.128.0.9"),
    (Mode.TRANSPORT, "198.18.0.16/32", "198.18.32.1/32", "198.18.0.16", "198.18.32.1"),
]


@pytest.mark.parametrize(("mode", "local", "remote", "source", "destination"), ECHOES)
def test_an_echo_goes_between_hosts_that_the_selectors_cover(
    mode, local, remote, source, destination
):
    connection = replace(
        CONNECTION,
        mode=mode,
        local_selectors=(ip_network(local),),
        remote_selectors=(ip_network(remote),),
    )

    policy = connection.children[0]
    ends = echo_addresses(connection, policy, lambda family: ip_network("10.1.0.0/24"))

    assert tuple(map(str, ends)) == (source, destination)


SECOND = replace(CONNECTION.children[0], name="second")

NO_WORDS = {
    "single pairs": {"single_pair": True},
    "a limit": {"most_children": 1},
    "a window": {"window": 2},
    "reports": {"reports_message_ids": True},
    "one name twice": {"more": (SECOND, SECOND)},
    "a strange name": {"more": (replace(SECOND, name="a b"),)},
}


@pytest.mark.parametrize("name", NO_WORDS)
@pytest.mark.parametrize(
    "render", [strongswan_config.connection_section, libreswan_config.ipsec_conf]
)
def test_what_an_adapter_cannot_write_is_refused(render, name):
    render(CONNECTION)
    with pytest.raises(ScriptError):
        render(replace(CONNECTION, **NO_WORDS[name]))


SELECTORS = [
    # selector, strongSwan's words, Libreswan's subnet and protoport (None: it has no words)
    ("10.1.0.0/24", "10.1.0.0/24", ("10.1.0.0/24", None)),
    ("fd01::/64[udp]", "fd01::/64[17]", ("fd01::/64", "17/%any")),
    ("10.1.0.1/32[tcp/80]", "10.1.0.1/32[6/80]", ("10.1.0.1/32", "6/80")),
    ("10.1.0.0/24[icmp/2048]", "10.1.0.0/24[1/2048]", ("10.1.0.0/24", "1/2048")),
    ("10.1.0.0/24[tcp/opaque]", "10.1.0.0/24[6/opaque]", None),
    ("10.1.0.0/24[udp/1-99]", "10.1.0.0/24[17/1-99]", None),
    ("10.1.0.5-10.1.0.9", "10.1.0.5-10.1.0.9", None),
]


@pytest.mark.parametrize(("text", "swanctl", "ipsec"), SELECTORS)
def test_selectors_are_written_in_each_daemons_words(text, swanctl, ipsec):
    described = replace(CONNECTION, local_selectors=(traffic_selector(text),))

    section = strongswan_config.connection_section(described)

    assert section["children"]["site-a"]["local_ts"] == [swanctl]
    if ipsec is None:
        with pytest.raises(ScriptError, match="no word"):
            libreswan_config.ipsec_conf(described)
        return
    subnet, protoport = ipsec
    conf = libreswan_config.ipsec_conf(described)
    assert f"\tleftsubnet={subnet}\n" in conf
    assert (f"\tleftprotoport={protoport}\n" in conf) is (protoport is not None)


def test_each_child_sa_has_a_section_of_its_own():
    described = replace(
        CONNECTION,
        more=(replace(SECOND, esp_proposals=(esp(GCM_256, ECP, NO_ESN),)),),
    )

    children = strongswan_config.connection_section(described)["children"]
    conf = libreswan_config.ipsec_conf(described)

    assert list(children) == ["site-a", "second"]
    assert children["second"]["esp_proposals"] == ["aes256gcm16-ecp256-noesn"]
    first, second = conf.split("conn site-a-second\n")
    assert first.startswith("conn site-a\n")
    assert "\tpfs=no\n" in first
    assert "\tpfs=yes\n" in second
    assert "\tesp=aes_gcm_16_256-none-dh19\n" in second
    assert libreswan_config.section_names(described) == ["site-a", "site-a-second"]


def test_a_child_sa_that_there_is_not_is_our_error():
    with pytest.raises(ScriptError, match="other"):
        libreswan_config.section_name(CONNECTION, "other")


GIVING = replace(
    CONNECTION,
    gives=AddressPool(
        (ip_network("10.128.0.0/24"), ip_network("fd80::/64")),
        (ip_address("10.1.0.53"), ip_address("fd01::53")),
        (ip_network("10.1.0.0/24"),),
    ),
)


def test_pools_are_written_in_each_daemons_words():
    swanctl = strongswan_config.swanctl_conf(GIVING)
    ipsec = libreswan_config.ipsec_conf(GIVING)

    assert "    pools = site-a-4, site-a-6\n" in swanctl.replace("        ", "    ")
    assert "        addrs = 10.128.0.0/24\n        dns = 10.1.0.53\n" in swanctl
    assert " remote_ts = dynamic\n" in swanctl
    assert "\tleftmodecfgserver=yes\n\trightmodecfgclient=yes\n" in ipsec
    assert "\trightaddresspool=10.128.0.1-10.128.0.254,fd80::/64\n" in ipsec
    assert "\tmodecfgdns=10.1.0.53,fd01::53\n" in ipsec
    assert "rightsubnet" not in ipsec


def test_who_asks_for_an_address_asks_for_any():
    asking = replace(CONNECTION, takes=AddressPool((ip_network("10.1.0.1/32"),)))
    swanctl = strongswan_config.swanctl_conf(asking)
    ipsec = libreswan_config.ipsec_conf(asking)

    assert " vips = 0.0.0.0\n" in swanctl
    assert " local_ts = dynamic\n" in swanctl
    assert "\tleftmodecfgclient=yes\n\trightmodecfgserver=yes\n" in ipsec
    assert "\tleftsubnet=0.0.0.0/0\n" in ipsec


def test_a_ppk_is_written_in_each_daemons_words():
    described = replace(CONNECTION, ppks=(Ppk(b"a-name", b"\1\2"),), ppk_required=True)

    swanctl = strongswan_config.swanctl_conf(described)
    ipsec = libreswan_config.ipsec_conf(described)
    secrets = libreswan_auth.ipsec_secrets(described)

    assert "ppk_id = fqdn:a-name\n" in swanctl
    assert "ppk_required = yes\n" in swanctl
    assert "ppk-t1-2 {\n" in swanctl.replace(CONNECTION.name, "t1")
    assert '\tppk=insist\n\tppk-ids="a-name"\n' in ipsec
    assert secrets.endswith(' : PPKS "a-name" 0x0102\n')


def test_a_ppk_of_a_name_that_is_no_word():
    described = replace(CONNECTION, ppks=(Ppk(b"\0 name", b"\1\2"),))

    assert "ppk_id = keyid:#00206e616d65\n" in strongswan_config.swanctl_conf(described)
    with pytest.raises(ScriptError, match="PPK_ID"):
        libreswan_config.ipsec_conf(described)


@pytest.mark.parametrize("secret", [b"with a zero \0", b'with a " in it', b"\xff" * 16])
def test_what_cannot_be_typed_is_written_in_hexadecimal_digits(secret):
    described = replace(CONNECTION, local_credential=Psk(secret), remote_credential=Psk(secret))

    assert f" : PSK 0x{secret.hex()}\n" in libreswan_auth.ipsec_secrets(described)


def test_addresses_are_identities_without_a_prefix():
    described = replace(CONNECTION, local_identity=address(ip_address("198.18.0.16")))

    assert "id = 198.18.0.16\n" in strongswan_config.swanctl_conf(described)


def test_strongswan_is_told_how_to_learn_what_was_revoked():
    authority = Authority(1_000_000_000.0)
    scheme = schemes.ECDSA[HashAlgorithm.SHA2_256]
    ours, theirs = (
        authority.credential(name, KeyType.ECDSA_P256, scheme)
        for name in (CONNECTION.local_identity, CONNECTION.remote_identity)
    )
    responder = OcspResponder("http://198.18.2.1:8080/", b"response")
    trusted = authority.trusted_responder("trusted").certificate.public_bytes(Encoding.DER)
    how = Revocation(asks=True, responders=(trusted,), strict=True)
    described = replace(
        CONNECTION,
        local_credential=replace(ours, responder=responder),
        remote_credential=replace(theirs, revocation=how),
    )

    section = strongswan_config.connection_section(described)

    assert section["ocsp"] == "both"
    assert section["remote"]["revocation"] == "strict"
    assert strongswan_auth.authorities(described) == {
        "site-a-ca0": {"cacert": ours.chain[1], "ocsp_uris": ["http://198.18.2.1:8080/ocsp"]}
    }
    loaded = {"type": "X509", "flag": "NONE", "data": trusted}
    assert loaded in strongswan_auth.certificates(described)
    plain = replace(described, local_credential=ours, remote_credential=theirs)
    assert "ocsp" not in strongswan_config.swanctl_conf(plain)
