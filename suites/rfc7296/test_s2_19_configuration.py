"""RFC 7296, 2.19, 2.20 and 3.15: addresses and other configuration are asked for and assigned."""

from ipaddress import ip_network

from peers.reference.configuration import configuration
from peers.reference.errors import PeerError
from peers.reference.negotiation import selectors
from peers.reference.numbers import ConfigAttributeType, ConfigType, NotifyType
from peers.reference.payloads import CP, SA, ConfigAttribute, Nonce, TSi, TSr
from suites.judge import as_responder, differs, requirement, turned_red_by, twin_of
from suites.terms import (
    FAMILIES,
    arranged,
    asks_for_an_address,
    gives_an_address,
    tells_a_dns_server,
)

GIVES = arranged(gives_an_address)
ASKS = arranged(asks_for_an_address)
UNKNOWN = ConfigAttribute(ConfigAttributeType(16001), b"from a test")


# The target assigns.


@FAMILIES
@GIVES
@requirement("rfc7296-2.19-address-assigned")
@turned_red_by("tells-another-address-than-it-selects")
def test_address_is_assigned_and_the_selectors_hold_it(peer, target):
    """
    peer                                        target (assigns addresses)
    HDR, SK {IDi, AUTH, CP(CFG_REQUEST), SAi2, TSi(all), TSr} -->
                                        <--     HDR, SK {IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr}
    ESP from that address {echo request} -->
                                        <--     ESP {echo reply}
    """
    peer.establish()

    pool = target.connection.gives
    addresses = peer.assignment.addresses
    assert len(addresses) == 1, f"one address was asked for, these are assigned: {addresses}"
    assert addresses[0] in pool.networks[0], f"{addresses[0]} is not of the pool"
    hosts = selectors([ip_network(addresses[0])])
    granted = peer.child.terms.local_selectors
    assert granted == hosts, f"TSi is {granted}, the address {addresses[0]}"
    assert peer.echo(), "the Child SA carries no traffic from the address that is assigned"


@FAMILIES
@arranged(tells_a_dns_server)
@requirement("rfc7296-3.15.1-value-lengths")
@turned_red_by("tells-dns-server-with-a-prefix-length")
def test_dns_server_is_told_in_its_own_form(peer, target):
    """
    peer                                        target (tells a DNS server)
    HDR, SK {..., CP(CFG_REQUEST, INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {CP(CFG_REPLY, ..., INTERNAL_IP4_DNS), ...}
    """
    peer.establish()

    assert peer.assignment.dns == target.connection.gives.dns


@GIVES
@requirement("rfc7296-3.15.1-netmask-beside-address")
@turned_red_by("tells-two-netmasks")
def test_netmask_is_told_once_and_beside_an_address(peer):
    """
    peer                                        target (assigns addresses)
    HDR, SK {.., CP(CFG_REQUEST, INTERNAL_IP4_ADDRESS, INTERNAL_IP4_NETMASK), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {.., CP(CFG_REPLY), SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    asked = request.get(CP)
    more = (*asked.attributes, ConfigAttribute(ConfigAttributeType.INTERNAL_IP4_NETMASK))
    response = peer.exchange(request.replacing(CP(asked.config_type, more)))

    _assert_netmask(response.get(CP), "a CFG_REPLY")


@ASKS
@as_responder
@requirement("rfc7296-3.15.1-netmask-beside-address")
@turned_red_by("asks-for-netmask-with-a-value")
def test_netmask_is_asked_for_without_a_value(peer, target):
    """
    peer                                        target (asks for an address)
                                        <--     HDR, SK {IDi, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    asked = request.get(CP)
    _assert_netmask(asked, "a CFG_REQUEST")
    masks = _values(asked, ConfigAttributeType.INTERNAL_IP4_NETMASK)
    assert not any(masks), f"a netmask is asked for with a value: {asked}"


def _values(configuration, kind):
    return [each.value for each in configuration.attributes if each.type == kind]


def _assert_netmask(configuration, what):
    masks = _values(configuration, ConfigAttributeType.INTERNAL_IP4_NETMASK)
    addresses = _values(configuration, ConfigAttributeType.INTERNAL_IP4_ADDRESS)
    assert len(masks) <= 1, f"{what} with several netmasks: {configuration}"
    assert addresses or not masks, f"{what} with a netmask and no address: {configuration}"


@GIVES
@requirement("rfc7296-2.19-cp-before-sa")
@turned_red_by("puts-configuration-behind-sa")
def test_configuration_stands_before_the_sa_payload(peer):
    """
    peer                                        target (assigns addresses)
    HDR, SK {IDi, AUTH, CP(CFG_REQUEST), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {..., CP(CFG_REPLY), SAr2, ...}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(CP, SA), f"no address was assigned: {response}"
    order = [type(payload) for payload in response.payloads]
    assert order.index(CP) < order.index(SA), f"CP stands behind SA: {response}"


@requirement("rfc7296-2.19-no-reply-unasked")
@turned_red_by("configures-unasked")
def test_nothing_is_configured_that_nobody_asked_for(peer):
    """
    peer                                        target
    HDR, SK {IDi, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {IDr, AUTH, SAr2, TSi, TSr}
    """
    peer.open_ike_sa()
    response = peer.exchange(peer.ike_auth())

    assert response.has(SA)
    assert not response.has(CP), f"a CFG_REPLY without a CFG_REQUEST: {response.get(CP)}"


@GIVES
@requirement("rfc7296-2.19-failed-cp-required")
@turned_red_by("grants-child-without-configuration", "closes-ike-sa-without-child")
def test_child_sa_without_a_request_for_an_address_is_refused(peer):
    """
    peer                                        target (assigns addresses)
    HDR, SK {IDi, AUTH, SAi2, TSi(of the pool), TSr} -->
                                        <--     HDR, SK {IDr, AUTH, N(FAILED_CP_REQUIRED)}
    HDR, SK {}                          -->
                                        <--     HDR, SK {}
    """
    peer.open_ike_sa()
    request = peer.ike_auth().without(CP)
    response = peer.exchange(request.replacing(TSi(selectors(peer.connection.local_selectors))))

    assert not response.has(SA), "a Child SA was granted to who asked for no address"
    if NotifyType.FAILED_CP_REQUIRED not in response.notifies:
        differs(f"refused, but not with FAILED_CP_REQUIRED: {response}")
    assert peer.is_answered(peer.informational()), "the IKE SA is gone"


@GIVES
@twin_of(test_child_sa_without_a_request_for_an_address_is_refused)
@requirement("rfc7296-3.15.1-unknown-attributes-ignored", "rfc7296-2.19-address-assigned")
@turned_red_by("minds-unknown-attributes")
def test_unknown_attribute_beside_the_request_for_an_address_is_ignored(peer):
    """
    peer                                        target (assigns addresses)
    HDR, SK {..., CP(CFG_REQUEST, INTERNAL_IP4_ADDRESS, 16001), SAi2, TSi, TSr} -->
                                        <--     HDR, SK {..., CP(CFG_REPLY), SAr2, TSi, TSr}
    ESP from that address {echo request} -->
                                        <--     ESP {echo reply}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    more = (*request.get(CP).attributes, UNKNOWN)
    request = request.replacing(peer.configuration_request(*more))
    response = peer.exchange(request)

    assert response.has(CP, SA), f"no address was assigned: {response}"
    assert UNKNOWN.type not in [each.type for each in response.get(CP).attributes]
    peer.take_up(request, response)
    assert peer.echo(), "the Child SA carries no traffic from the address that is assigned"


@GIVES
@requirement("rfc7296-2.19-cp-in-any-child-request")
@turned_red_by("assigns-to-rekeys-only-once", "tells-another-address-than-it-selects")
def test_rekey_that_asks_for_configuration_once_more_is_answered(established):
    """
    peer                                        target (assigns addresses)
    HDR, SK {CP(CFG_REQUEST), N(REKEY_SA), SA, Ni, TSi, TSr} -->
                                        <--     HDR, SK {[CP(CFG_REPLY),] SA, Nr, TSi, TSr}
    ESP of the new SA {echo request}    -->
                                        <--     ESP {echo reply}
    PREVENTS: a rekey that is dropped because of a payload (F09).
    """
    asked = established.configuration_request()
    request = established.create_child_sa(asked, established.rekeys_child())
    response = established.exchange(request)

    assert response.has(SA, Nonce, TSi, TSr), f"the rekey was refused: {response}"
    established.take_up_child(request, response)
    assert established.echo(), "the new Child SA carries no traffic"


# The version, and settings.


@requirement("rfc7296-2.20-version-told-or-withheld", "rfc7296-3.15.1-version-is-printable")
@turned_red_by("ends-version-with-zero")
def test_version_is_printable_or_withheld(established, observed):
    """
    peer                                        target
    HDR, SK {CP(CFG_REQUEST, APPLICATION_VERSION)} -->
                                        <--     HDR, SK {[CP(CFG_REPLY, APPLICATION_VERSION)]}
    """
    kind = ConfigAttributeType.APPLICATION_VERSION
    asked = established.configuration_request(ConfigAttribute(kind))
    response = established.exchange(established.informational(asked))

    reply = configuration(response, ConfigType.CFG_REPLY)
    told = [each.value for each in reply.attributes if each.type == kind] if reply else []
    assert len(told) <= 1, "APPLICATION_VERSION has one value"
    for version in told:
        assert all(0x20 <= octet < 0x7F for octet in version), f"not printable: {version!r}"
        observed(f"version {version.decode()!r}")


@requirement("rfc7296-3.15.1-cfg-set-acknowledged")
@turned_red_by("acknowledges-with-values")
def test_settings_that_are_not_accepted_are_not_acknowledged(established):
    """
    peer                                        target
    HDR, SK {CP(CFG_SET, 16001)}        -->
                                        <--     HDR, SK {[CP(CFG_ACK)]}
    """
    settings = CP(ConfigType.CFG_SET, (UNKNOWN,))
    response = established.exchange(established.informational(settings))

    for reply in response.all(CP):
        assert reply.config_type == ConfigType.CFG_ACK, f"answered with {reply}"
        assert reply.attributes == (), f"what nobody knows was accepted: {reply}"


# The target asks.


@FAMILIES
@ASKS
@as_responder
@requirement("rfc7296-2.19-address-requested")
@turned_red_by("asks-for-no-address")
def test_target_asks_for_an_address_and_uses_it(peer, target):
    """
    peer (assigns addresses)                    target
                                        <--     HDR, SK {..., CP(CFG_REQUEST), SAi2, TSi, TSr}
    HDR, SK {..., CP(CFG_REPLY), SAr2, TSi, TSr} -->
    ESP to that address {echo request}  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()

    asked = configuration(request, ConfigType.CFG_REQUEST)
    if asked is None:
        raise PeerError("the target asks for no address")
    addresses = {
        ConfigAttributeType.INTERNAL_IP4_ADDRESS,
        ConfigAttributeType.INTERNAL_IP6_ADDRESS,
    }
    assert addresses & {each.type for each in asked.attributes}, f"no address in {asked}"
    peer.answer(request, peer.ike_auth_response(request))
    assert peer.echo(), "the target does not use the address that it was assigned"


@ASKS
@as_responder
@requirement("rfc7296-2.19-cp-before-sa")
@turned_red_by("puts-configuration-behind-sa")
def test_target_puts_its_request_for_an_address_before_the_sa_payload(peer, target):
    """
    peer (assigns addresses)                    target
                                        <--     HDR, SK {..., CP(CFG_REQUEST), SAi2, TSi, TSr}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request))

    order = [type(payload) for payload in request.payloads]
    assert order.index(CP) < order.index(SA), f"CP stands behind SA: {request}"


@ASKS
@as_responder
@requirement("rfc7296-3.15.1-unknown-attributes-ignored")
@turned_red_by("minds-unknown-attributes", "asks-for-no-address")
def test_unknown_attribute_beside_the_address_is_ignored(peer, target):
    """
    peer (assigns addresses)                    target
                                        <--     HDR, SK {..., CP(CFG_REQUEST), SAi2, TSi, TSr}
    HDR, SK {..., CP(CFG_REPLY, INTERNAL_IP4_ADDRESS, 16001), SAr2, TSi, TSr} -->
    ESP to that address {echo request}  -->
                                        <--     ESP {echo reply}
    """
    target.initiate()
    request = peer.accept_ike_sa_init()
    response = peer.ike_auth_response(request)
    reply = response.get(CP)
    more = CP(ConfigType.CFG_REPLY, (*reply.attributes, UNKNOWN))
    peer.answer(request, response.replacing(more))

    # Whoever minds the attribute has closed something by the time that it has answered twice.
    answers = [peer.is_answered(peer.informational()) for _ in range(2)]
    assert all(answers), "the IKE SA is gone"
    assert peer.ike.children, "the Child SA is closed because of an unknown attribute"
    assert peer.echo(), "the target does not use the address that it was assigned"
