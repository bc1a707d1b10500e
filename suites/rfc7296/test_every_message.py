"""RFC 7296, 1 to 3: what holds of every message of the target, in other tests' too.

Each test has a conversation of its own, then judges one rule by its messages and by those that
were heard before. The rules are in `peers/reference/rules/`.
"""

import re
from collections.abc import Iterator
from types import FunctionType

import pytest

from peers.reference.errors import Inconclusive, PeerError
from peers.reference.numbers import ExchangeType, ProtocolId
from peers.reference.payloads import Delete
from peers.reference.rules import RULES, Complaint, Seen, seen_in
from suites.fragmentation import FRAGMENTED, LARGE
from suites.judge import as_responder, requirement, turned_red_by
from suites.terms import CBC, DEFAULT

RESPONDER = {
    "rfc4303-2.1-spi-reserved-range": "allocates-reserved-spis",
    "rfc7296-1.2-auth-exchange-shape": "puts-a-nonce-into-ike-auth",
    "rfc7296-1.2-subsequent-messages-encrypted": "answers-liveness-in-clear",
    "rfc7296-2.2-response-has-request-id": "answers-with-another-message-id",
    "rfc7296-2.5-critical-clear-in-responses": "marks-nonces-critical",
    "rfc7296-2.5-payload-order-sent": "sends-payloads-backwards",
    "rfc7296-2.5-reserved-sent-as-zero": "sets-reserved-fields",
    "rfc7296-2.7-single-suite-chosen": "chooses-two-ciphers",
    "rfc7296-2.10-nonce-fresh": "uses-one-nonce-for-all",
    "rfc7296-2.10-nonce-size": "draws-short-nonces",
    "rfc7296-2.22-ipcomp-only-beside-sa": "sends-ipcomp-without-an-offer",
    "rfc7296-3.1-initiator-flag": "inverts-its-initiator-flag",
    "rfc7296-3.1-length-matches": "counts-four-octets-too-many",
    "rfc7296-3.1-response-flag": "clears-its-response-flag",
    "rfc7296-3.1-version-sent": "sends-minor-version-1",
    "rfc7296-3.2-known-payload-critical-clear": "marks-nonces-critical",
    "rfc7296-3.2-next-payload-chain": "leaves-octets-behind-the-chain",
    "rfc7296-3.3-aead-without-integrity": "offers-integrity-beside-aead",
    "rfc7296-3.3-attribute-type-once": "sends-key-length-twice",
    "rfc7296-3.3.1-spi-size-child": "sends-esp-spi-of-eight-octets",
    "rfc7296-3.3.1-spi-size-initial": "puts-an-spi-into-the-first-offer",
    "rfc7296-3.3.3-mandatory-types": "leaves-the-prf-out",
    "rfc7296-3.3.5-key-length-form": "sends-key-length-as-octets",
    "rfc7296-3.3.5-no-key-length-on-fixed-key": "gives-the-prf-a-key-length",
    "rfc7296-3.4-modp-length": "cuts-its-modp-value",
    "rfc7296-3.5-no-terminator": "ends-names-with-zero",
    "rfc7296-3.7-known-encodings-only": "requests-strange-certificates",
    "rfc7296-3.9-nonce-size": "draws-short-nonces",
    "rfc7296-3.10-ike-notify-without-spi": "puts-ike-spi-into-notifies",
    "rfc7296-3.10-protocol-zero-without-spi": "names-ike-in-notifies",
    "rfc7296-3.13-number-of-selectors": "sends-no-selectors",
    "rfc7296-3.13.1-all-ports": "limits-ports-of-any-protocol",
}
"""What a responder's messages are judged by, and the fault that must be seen."""

INITIATOR = {
    row: fault
    for row, fault in RESPONDER.items()
    if row not in ("rfc7296-2.5-critical-clear-in-responses", "rfc7296-2.7-single-suite-chosen",
                   "rfc7296-2.2-response-has-request-id")
} | {
    "rfc7296-1.2-ike-auth-offer-without-group": "offers-a-group-in-ike-auth",
    "rfc7296-1.2-none-left-out": "offers-none-for-integrity",
    "rfc7296-1.2-subsequent-messages-encrypted": "asks-in-clear",
    "rfc7296-2.2-message-ids-count-from-zero": "skips-message-ids",
    "rfc7296-3.1-initiator-spi-not-zero": "opens-with-zero-spi",
    "rfc7296-3.1-responder-spi-zero-in-first-message": "opens-with-responder-spi",
    "rfc7296-3.3.1-proposal-numbers": "numbers-proposals-from-zero",
    "rfc7296-3.4-ke-of-the-first-group": "sends-ke-of-its-second-group",
    "rfc7296-3.10-child-notify-names-protocol": "names-no-protocol-of-rekeyed-child-sas",
}  # fmt: skip
"""The same of an initiator's messages."""

IN_FRAGMENTS = {"rfc7296-2.5-reserved-sent-as-zero": "sets-reserved-fields-in-fragments"}
"""What is judged with messages in fragments (RFC 7383) too; the other rules see them in passing."""


def what_a_responder_sends(peer, rule, earlier):
    """
    peer                                        target
    IKE_SA_INIT, IKE_AUTH               -->
                                        <--     their responses
    INFORMATIONAL                       -->
                                        <--     its response
    CREATE_CHILD_SA: Child SA, IKE SA   -->
                                        <--     its responses
    INFORMATIONAL, SK {D}               -->
                                        <--     its response
    PREVENTS: a message that most receivers put up with, and the next one does not.
    """
    _as_far_as_it_goes(peer, _lead)

    _judge(peer, rule, earlier)


@as_responder
def what_an_initiator_sends(peer, target, rule, earlier):
    """
    peer                                        target
                                        <--     IKE_SA_INIT, IKE_AUTH
    their responses                     -->
                                        <--     CREATE_CHILD_SA: Child SA, IKE SA
    its responses                       -->
    PREVENTS: a message that most receivers put up with, and the next one does not.
    """
    _as_far_as_it_goes(peer, lambda peer: _follow(peer, target))

    _judge(peer, rule, earlier)


@FRAGMENTED
@LARGE
def what_a_responder_sends_in_fragments(peer, rule, earlier):
    """
    peer                                        target
    IKE_SA_INIT                         -->
                                        <--     its response
    IKE_AUTH: SKF(1 of n), .. SKF(n of n) -->
                                        <--     SKF(1 of n), .. SKF(n of n)
    PREVENTS: an error inside of large messages, which nobody looks for in pieces of them.
    """
    _as_far_as_it_goes(peer, lambda peer: peer.establish())

    _judge_fragments(peer, rule, earlier)


@FRAGMENTED
@LARGE
@as_responder
def what_an_initiator_sends_in_fragments(peer, target, rule, earlier):
    """
    peer                                        target
                                        <--     IKE_SA_INIT
    its response                        -->
                                        <--     IKE_AUTH: SKF(1 of n), .. SKF(n of n)
    SKF(1 of n), .. SKF(n of n)         -->
    PREVENTS: an error inside of large messages, which nobody looks for in pieces of them.
    """
    target.initiate()
    _as_far_as_it_goes(peer, lambda peer: peer.accept())

    _judge_fragments(peer, rule, earlier)


def _tests(who, judge, rows):
    """Make a test of each row, so that each has a name, a row and a fault of its own."""
    for row, fault in rows.items():
        faults = (RESPONDER[row], IN_FRAGMENTS[row]) if row in IN_FRAGMENTS else (fault,)
        test = FunctionType(judge.__code__, globals(), judge.__name__)
        test.__doc__ = judge.__doc__
        test.pytestmark = list(getattr(judge, "pytestmark", []))
        suite = CBC if row == "rfc7296-3.4-modp-length" else DEFAULT
        given = pytest.mark.parametrize(("rule", "suite"), [pytest.param(RULES[row], suite, id="")])
        for mark in (given, requirement(row), turned_red_by(*faults), pytest.mark.looks_back):
            test = mark(test)
        name = re.sub(r"\W", "_", row.removeprefix("rfc7296-"))
        yield f"test_{who}_{name}", test


# First what is in fragments: the tests that only look back on that come after it.
globals().update(
    _tests("responder_in_fragments", what_a_responder_sends_in_fragments, IN_FRAGMENTS)
)
globals().update(
    _tests("initiator_in_fragments", what_an_initiator_sends_in_fragments, IN_FRAGMENTS)
)
globals().update(_tests("responder", what_a_responder_sends, RESPONDER))
globals().update(_tests("initiator", what_an_initiator_sends, INITIATOR))


def _lead(peer):
    peer.establish()
    peer.exchange(peer.informational())
    request = peer.rekey_child_sa()
    peer.take_up_child(request, peer.exchange(request))
    new, request = peer.rekey_ike()
    peer.take_up_ike(new, request, peer.exchange(request))
    peer.exchange(peer.informational(Delete(ProtocolId.IKE)))


def _follow(peer, target):
    target.initiate()
    peer.accept()
    target.rekey_child()
    request = peer.hear_request(ExchangeType.CREATE_CHILD_SA)
    peer.answer(request, peer.grant_child(request))
    peer.settle()
    target.rekey_ike()
    peer.grant_ike(peer.hear_request(ExchangeType.CREATE_CHILD_SA))
    peer.settle()


def _as_far_as_it_goes(peer, converse):
    """Converse; where that ends early, other tests say why, and this one judges what was said."""
    try:
        converse(peer)
    except (PeerError, Inconclusive) as problem:
        peer.remark(f"the conversation ends here: {problem}")


def _judge_fragments(peer, rule, earlier):
    heard = (seen.message for seen in seen_in(peer.events) if seen.heard and seen.message)
    if not any(message.fragment for message in heard):
        raise Inconclusive("the target sent no fragments")
    _judge(peer, rule, earlier)


def _judge(peer, rule, earlier):
    own = seen_in(peer.events)
    if not any(seen.heard for seen in own):
        raise Inconclusive("the target said nothing")
    complaints = [("this test", each) for each in rule.complaints(own)] + list(
        _before(rule, earlier)
    )
    for title, complaint in complaints[:3]:
        peer.remark(f"in {title}: {complaint.what}: {_shown(complaint.seen)}")
    found = sorted({complaint.what for _, complaint in complaints})

    assert not found, "; ".join(found)


def _before(rule, earlier) -> Iterator[tuple[str, Complaint]]:
    for record in earlier:
        for complaint in rule.complaints(seen_in(record.events)):
            yield record.title, complaint


def _shown(seen: Seen) -> str:
    return f"{seen.message}, octets {seen.octets.hex()}"
