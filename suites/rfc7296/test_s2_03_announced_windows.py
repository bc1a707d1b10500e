"""RFC 7296, 2.3: SET_WINDOW_SIZE in both directions, and reports of strange Message IDs."""

from dataclasses import replace

from peers.reference.announcements import set_window_size
from peers.reference.numbers import ExchangeType, NotifyType
from peers.targets.base import Capability
from suites.judge import as_responder, needs, requirement, turned_red_by
from suites.terms import arranged

WINDOW = 4


def _four_child_sas(described):
    """Quarter the network behind the peer: a Child SA for each quarter."""
    [network] = described.remote_selectors
    first, *others = network.subnets(2)
    described = replace(described, remote_selectors=(first,))
    [policy] = described.children
    more = (
        replace(policy, name=f"child{number}", remote_selectors=(part,))
        for number, part in enumerate(others, 2)
    )
    return replace(described, more=tuple(more))


def _has_a_window(described):
    return replace(described, window=WINDOW)


def _reports(described):
    return replace(described, reports_message_ids=True)


def _accept_announcing(peer, target, size):
    """Be the responder of the target's IKE SA, with a window of that size."""
    target.initiate()
    request = peer.accept_ike_sa_init()
    peer.answer(request, peer.ike_auth_response(request) + set_window_size(size))
    peer.exchange(peer.informational())


def _asked_meanwhile(peer, target):
    """Have the target ask for three more Child SAs, answer none; give the Message IDs."""
    for name in ("child2", "child3", "child4"):
        target.create_child(name)
    first = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.remark("the answers are withheld")
    peer.fence()
    asked = [first, *(each for each in peer.reactions_so_far() if not each.response)]
    return {each.message_id for each in asked}


@arranged(_four_child_sas)
@as_responder
@requirement("rfc7296-2.3-peer-window-not-exceeded")
@turned_red_by("ignores-the-window-of-its-peer")
def test_target_has_no_more_requests_out_than_its_peer_announced(peer, target, observed):
    """
    peer                                        target
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr, N(SET_WINDOW_SIZE, 2)} -->
                                        <--     HDR(ID n), SK {SA, Ni, TSi, TSr}
                                        <--     [HDR(ID n+1), SK {SA, Ni, TSi, TSr}]
                                                no third request
    """
    _accept_announcing(peer, target, 2)

    asked = _asked_meanwhile(peer, target)

    observed(f"{len(asked)} requests at a time")
    assert len(asked) <= 2, f"{len(asked)} requests are out, the window is 2"


@arranged(_four_child_sas)
@as_responder
@requirement("rfc7296-2.3-window-starts-anew")
@turned_red_by("keeps-the-window-across-rekeys", "ignores-the-window-of-its-peer")
def test_window_of_the_peer_is_one_again_after_a_rekey(peer, target):
    """
    peer                                        target
    HDR, SK {IDr, AUTH, SAr2, TSi, TSr, N(SET_WINDOW_SIZE, 3)} -->
    HDR, SK {SA, Ni, KEi}               -->
                                        <--     HDR, SK {SA, Nr, KEr}
    HDR, SK {D(IKE)}                    -->
                                        <--     HDR, SK {}
                                        <--     HDR(ID 0), SK {SA, Ni, TSi, TSr}
                                                no second request
    """
    _accept_announcing(peer, target, 3)
    old = peer.ike
    new, request = peer.rekey_ike()
    peer.take_up_ike(new, request, peer.exchange(request))
    peer.close_ike(old)

    asked = _asked_meanwhile(peer, target)

    assert len(asked) == 1, f"{len(asked)} requests are out, the window of a new IKE SA is 1"


@arranged(_has_a_window, Capability.WINDOW)
@requirement("rfc7296-2.3-set-window-size-form")
@turned_red_by("announces-its-window-in-two-octets")
def test_target_announces_its_window_in_four_octets(peer):
    """
    peer                                        target (window of 4)
    HDR, SK {IDi, IDr, AUTH, SAi2, TSi, TSr} -->
                                        <--     HDR, SK {.., N(SET_WINDOW_SIZE, 00 00 00 04)}
    """
    peer.open_ike_sa()
    request = peer.ike_auth()
    response = peer.exchange(request)

    peer.take_up(request, response)
    told = response.notify(NotifyType.SET_WINDOW_SIZE)
    assert told.data == WINDOW.to_bytes(4, "big"), f"{told.data.hex()} for a window of {WINDOW}"


@arranged(_has_a_window, Capability.WINDOW)
@requirement("rfc7296-2.3-announced-window-kept")
@turned_red_by("takes-one-request-whatever-it-announced")
def test_target_takes_requests_though_an_earlier_one_is_missing(established):
    """
    peer                                        target (window of 4)
    HDR(ID n+3), SK {}                  -->
    HDR(ID n+2), SK {}                  -->
    HDR(ID n), SK {}                    -->
    HDR(ID n+1), SK {}                  -->
                                        <--     HDR, SK {} for each of them
    """
    expected = established.informational()
    numbers = [expected.message_id + ahead for ahead in (3, 2, 0, 1)]
    for number in numbers:
        established.say(replace(expected, message_id=number))
    established.ike.next_request_id += WINDOW

    answered = {each.message_id for each in established.reactions_so_far() if each.response}

    assert answered == set(numbers), f"answered are {sorted(answered)} of {sorted(numbers)}"


@arranged(_has_a_window, Capability.WINDOW)
@requirement("rfc7296-2.3-response-repeated-exactly")
@turned_red_by(
    "forgets-all-but-its-last-response",
    "reseals-repeated-response",
    "takes-one-request-whatever-it-announced",
)
def test_target_keeps_as_many_responses_as_it_announced(established):
    """
    peer                                        target (window of 4)
    HDR(ID n to n+3), SK {}             -->
                                        <--     HDR(ID n to n+3), SK {}
    the octets of ID n                  -->
                                        <--     the octets of its response
    """
    request = established.informational()
    octets = established.ike.encode(request)
    first = established.repeated_response(request, octets)
    established.ike.next_request_id += 1
    for _ in range(WINDOW - 1):
        established.exchange(established.informational())

    again = established.repeated_response(request, octets)

    assert again.octets == first.octets, "another response to the same octets"


@arranged(_reports, Capability.MESSAGE_ID_REPORTS)
@requirement("rfc7296-2.3-invalid-message-id-form")
@turned_red_by("reports-message-id-in-two-octets")
def test_report_of_a_message_id_has_the_form(established):
    """
    peer                                        target (reports them)
    HDR(ID n+5), SK {}                  -->
                                        <--     HDR(ID 0), SK {N(INVALID_MESSAGE_ID, n+5)}
    HDR(ID 0), SK {}                    -->
    """
    expected = established.informational()
    strange = expected.message_id + 5

    reports = _reports_of(established.reactions(replace(expected, message_id=strange)))

    assert len(reports) == 1, f"{len(reports)} reports"
    told = reports[0].notify(NotifyType.INVALID_MESSAGE_ID)
    assert not reports[0].response, "the report is in a response"
    assert told.data == strange.to_bytes(4, "big"), f"{told.data.hex()} for Message ID {strange}"
    assert (told.protocol, told.spi) == (0, b""), "the report has a protocol or an SPI"


@needs(Capability.MESSAGE_ID_REPORTS)
@arranged(_reports)
@requirement("rfc7296-2.3-invalid-message-id-limited")
@turned_red_by("reports-every-message-id")
def test_reports_of_message_ids_are_limited(established):
    """
    peer                                        target (reports them)
    HDR(ID n+5), SK {}                  -->
    ...
    HDR(ID n+9), SK {}                  -->
                                        <--     fewer reports than these
    """
    reports = []
    for _ in range(5):
        expected = established.informational()
        strange = replace(expected, message_id=expected.message_id + 5)
        reports += _reports_of(established.reactions(strange))

    assert reports, "no report at all: nothing is judged"
    assert len(reports) < 5, "each of 5 Message IDs is reported"


def _reports_of(messages):
    return [each for each in messages if NotifyType.INVALID_MESSAGE_ID in each.notifies]
