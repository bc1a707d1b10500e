"""Each fault of the catalogue shows on the wire, or says why it cannot, in whatever form it goes.

A message goes in clear, whole inside SK, or in fragments; a fault may be one of a single fragment,
too. The rows say where a fault is made when its message is split, and what is refused for which
reason. A fault that leaves the wire correct makes a test that uses it vacuous.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import pytest

from peers.reference.additional import addke
from peers.reference.decisions import Decisions
from peers.reference.draft import Draft, Reach
from peers.reference.errors import ScriptError
from peers.reference.events import Transmission
from peers.reference.falsify import WireFault
from peers.reference.faults import (
    CATALOGUE,
    CiphertextCorrupted,
    CriticalBit,
    FirstPayload,
    FlipOctet,
    HeaderCorrupted,
    HeaderLength,
    IcvCorrupted,
    InitiatorFlag,
    IvCorrupted,
    LastProposal,
    LastTransform,
    MajorVersion,
    MinorVersion,
    NextPayload,
    Padding,
    PadLength,
    PayloadLength,
    ProposalLength,
    ProposalSpiSize,
    ReservedBits,
    ReservedFields,
    ReservedFlags,
    ResponseFlag,
    SelectorCount,
    SelectorLength,
    SpiCount,
    SpiSize,
    TrailingOctets,
    TransformCount,
    TransformLength,
    TruncateMessage,
    UnannouncedOctets,
)
from peers.reference.fragments import split_into
from peers.reference.message import Header, Message
from peers.reference.numbers import (
    AuthMethod,
    ExchangeType,
    IdType,
    KeyExchangeMethod,
    NotifyType,
    ProtocolId,
)
from peers.reference.payloads import (
    AUTH,
    KE,
    SA,
    SK,
    SKF,
    Delete,
    IDi,
    Nonce,
    Notify,
    TSi,
    VendorID,
)
from peers.reference.sa import IkeSa
from peers.reference.traffic_selectors import traffic_selector
from suites.selftest.test_key_exchanges import described
from suites.selftest.test_peer import Bench
from suites.selftest.wires import Wire
from suites.terms import DEFAULT

CLEAR, WHOLE, SPLIT, PART = "in clear", "whole", "in fragments", "one fragment"
CONTENT, FIRST, EACH = Reach.CONTENT, Reach.FIRST, Reach.EACH

CONTEXTS = [
    (CLEAR, ExchangeType.IKE_SA_INIT, True),
    (WHOLE, ExchangeType.CREATE_CHILD_SA, False),
    (WHOLE, ExchangeType.IKE_INTERMEDIATE, True),
    (SPLIT, ExchangeType.IKE_AUTH, False),
    (SPLIT, ExchangeType.IKE_AUTH, True),
    (SPLIT, ExchangeType.IKE_INTERMEDIATE, False),
    (SPLIT, ExchangeType.IKE_INTERMEDIATE, True),
    (PART, ExchangeType.IKE_AUTH, True),
    (PART, ExchangeType.IKE_INTERMEDIATE, False),
]
"""The form, the exchange, and whether it is a response."""

FRONT = (VendorID(b"stands before SK"),)
INSIDE = (
    SA(DEFAULT.esp),
    KE(KeyExchangeMethod.CURVE25519, bytes(range(32))),
    Nonce(bytes(range(32))),
    IDi(IdType.ID_FQDN, b"peer.test"),
    AUTH(AuthMethod.SHARED_KEY_MIC, bytes(range(32))),
    TSi((traffic_selector("10.1.0.0/24"),)),
    Delete(ProtocolId.ESP, (b"spi1", b"spi2")),
    Notify(NotifyType.INITIAL_CONTACT, bytes(200)),
)


class Row(NamedTuple):
    """A fault; where it is made in a message that is split; why it is refused in which form."""

    fault: WireFault
    made: Reach
    refused: dict[str, str]


def row(fault: WireFault, made: Reach, **refused: str) -> Row:
    """Name the forms by words: clear, whole, split, part, or all."""
    forms = {"clear": CLEAR, "whole": WHOLE, "split": SPLIT, "part": PART}
    if "all" in refused:
        return Row(fault, made, dict.fromkeys(forms.values(), refused["all"]))
    return Row(fault, made, {forms[each]: reason for each, reason in refused.items()})


NO_SK, NO_SKF = "0 SK payloads", "0 SKF payloads"
NOT_IN_A_FRAGMENT = "^0 [A-Za-z]+ payloads"
"""A fragment holds a piece of the content, no payloads: what is inside them is not seen."""

ROWS = [
    # The header: of each fragment.
    row(HeaderLength(by=4), EACH),
    row(HeaderLength(to=0), EACH),
    row(FirstPayload(to=200), EACH),
    row(MajorVersion(3), EACH),
    row(MinorVersion(1), EACH),
    row(InitiatorFlag(), EACH),
    row(ResponseFlag(), EACH),
    row(ReservedFlags(), EACH),
    row(HeaderCorrupted(20), EACH),
    # Payloads: where they stand.
    row(NextPayload(AUTH, to=200), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(CriticalBit(AUTH), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(ReservedBits(AUTH), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(PayloadLength(AUTH, by=-1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(FlipOctet(AUTH, at=9), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(ReservedFields(AUTH), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(ReservedFields(SA), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(LastProposal(to=3), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(ProposalLength(by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(ProposalSpiSize(by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(TransformCount(by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(LastTransform(to=7), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(TransformLength(by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(SpiSize(Notify, by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(SpiCount(by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(SelectorCount(TSi, by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(SelectorLength(TSi, by=1), CONTENT, part=NOT_IN_A_FRAGMENT),
    row(UnannouncedOctets(b"stray"), CONTENT),
    row(ReservedBits(VendorID), FIRST, part=NOT_IN_A_FRAGMENT),
    row(PayloadLength(VendorID, by=4), FIRST, part=NOT_IN_A_FRAGMENT),
    # SK is SKF in a fragment; SKF is nowhere else.
    row(NextPayload(SK, by=1), EACH, clear=NO_SK),
    row(CriticalBit(SK), EACH, clear=NO_SK),
    row(ReservedBits(SK), EACH, clear=NO_SK),
    row(PayloadLength(SK, by=-1), EACH, clear=NO_SK),
    row(FlipOctet(SK, at=1), EACH, clear=NO_SK),
    row(ReservedBits(SKF), EACH, clear=NO_SKF, whole=NO_SKF),
    row(FlipOctet(SKF, at=5), EACH, clear=NO_SKF, whole=NO_SKF),
    # What is sealed, and what happens on the way: to each fragment.
    row(PadLength(by=9), EACH, clear="an unprotected message has no Pad Length"),
    row(Padding(b"seven.."), EACH, clear="an unprotected message has no padding"),
    row(IvCorrupted(), EACH, clear="an unprotected message has nothing sealed"),
    row(CiphertextCorrupted(), EACH, clear="an unprotected message has nothing sealed"),
    row(IcvCorrupted(), EACH, clear="an unprotected message has nothing sealed"),
    row(TruncateMessage(1), EACH),
    row(TrailingOctets(b"more"), EACH),
    # What makes no sense: never, in some form, or not in each fragment (Next Payload of SKF is 0
    # in later ones, RFC 7383, 2.5).
    row(NextPayload(SK, to=0), EACH, clear=NO_SK, split="changes nothing", part="changes nothing"),
    row(FlipOctet(SK, at=4), EACH, clear=NO_SK, whole="octet 4 of a payload of 4"),
    row(ReservedFields(VendorID), FIRST, all="no RESERVED field|" + NOT_IN_A_FRAGMENT),
    row(PayloadLength(AUTH, by=1, which=1), CONTENT, all="payloads: no number 1"),
    row(TruncateMessage(9999), EACH, all="9999 octets cannot be cut off"),
    row(HeaderCorrupted(28), EACH, all="octet 28 of an IKE header"),
    row(Padding(bytes(256)), EACH, all="256 octets of padding|has no padding"),
    row(HeaderLength(), EACH, all="changes nothing"),
    row(MajorVersion(2), EACH, all="changes nothing"),
    row(MinorVersion(16), EACH, all="16 does not fit into 4 bits"),
    row(TransformCount(by=0), CONTENT, all="changes nothing|" + NOT_IN_A_FRAGMENT),
    row(TrailingOctets(b""), EACH, all="changes nothing"),
    row(UnannouncedOctets(b""), CONTENT, all="changes nothing"),
]

Writer = Callable[[IkeSa, Message], Sequence[bytes]]


def as_sent(sa: IkeSa, message: Message) -> Sequence[bytes]:
    """Write a message as the peer and the endpoint do."""
    return sa.datagrams(message)


@pytest.fixture(scope="module")
def sa() -> IkeSa:
    """An IKE SA with keys, which takes fragments of 200 octets; its IVs are all of zeros."""
    peer = Bench().peer
    peer.open_ike_sa()
    peer.ike.connection = replace(peer.ike.connection, fragment_size=200)
    peer.ike.random = bytes
    return peer.ike


def message_in(sa: IkeSa, form: str, exchange: ExchangeType, response: bool) -> Message:
    """Build a correct message, or fragment, in that form; ``sa`` writes it so from then on."""
    sa.fragments = form in (SPLIT, PART)
    clear = form == CLEAR
    message = replace(
        sa.request(exchange, *(FRONT if clear else ()), *INSIDE),
        response=response,
        protected=not clear,
        unprotected=() if clear else FRONT,
    )
    return sa.parts(message)[1] if form == PART else message


def content(sa: IkeSa, datagrams: Sequence[bytes]) -> bytes:
    """Put the content of fragments together, without looking into it."""
    how = sa.established_keys().initiator
    fragments = [Message.open(octets, how).fragment for octets in datagrams]
    return b"".join(each.chunk for each in fragments)


def check(each: Row, sa: IkeSa, context: tuple, write: Writer = as_sent) -> None:
    """Assert that the fault is on the wire where the row says, or is refused for the reason."""
    form, *_ = context
    honest = message_in(sa, *context)
    wrong = honest.with_fault(each.fault)
    if form in each.refused:
        with pytest.raises(ScriptError, match=each.refused[form]):
            write(sa, wrong)
        return
    good, bad = as_sent(sa, honest), write(sa, wrong)
    assert list(bad) != list(good), f"{each.fault} is silent {form}"
    if form != SPLIT:
        return
    assert len(good) > 2
    if each.made is CONTENT:
        assert content(sa, bad) != content(sa, good)
        return
    differs = [one != other for one, other in zip(good, bad, strict=True)]
    expected = [each.made is EACH or number == 0 for number in range(len(good))]
    assert differs == expected, f"{each.fault} is silent in some fragment, or in too many"


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda c: f"{c[1]!s} {c[0]} {c[2]}")
@pytest.mark.parametrize("each", ROWS, ids=lambda each: str(each.fault))
def test_a_fault_is_on_the_wire_or_refused_with_a_reason(sa, each, context):
    check(each, sa, context)


def test_there_is_a_row_for_each_fault_that_is_seen_in_fragments():
    assert {type(each.fault) for each in ROWS if SPLIT not in each.refused} == set(CATALOGUE)


@pytest.mark.parametrize(
    ("octets", "made"), [(b"stray", b"stray"), (b"stray" * 30, b"stray" * 30)], ids=len
)
def test_octets_that_none_announces_stand_behind_the_whole_content(sa, octets, made):
    honest = message_in(sa, SPLIT, ExchangeType.IKE_AUTH, False)
    good = content(sa, sa.datagrams(honest))

    assert content(sa, sa.datagrams(honest.with_fault(UnannouncedOctets(octets)))) == good + made


def test_padding_is_that_of_each_fragment_and_leaves_the_content_alone(sa):
    honest = message_in(sa, SPLIT, ExchangeType.IKE_AUTH, False)
    wrong = sa.datagrams(honest.with_fault(Padding(b"seven..")))
    how = sa.established_keys().initiator

    assert [Message.open(octets, how).padding for octets in wrong] == [b"seven.."] * len(wrong)
    assert content(sa, wrong) == content(sa, sa.datagrams(honest))


def test_what_is_not_protected_is_not_split_nor_is_a_fragment(sa):
    with pytest.raises(ScriptError, match="is not protected: it is not split"):
        split_into(message_in(sa, CLEAR, ExchangeType.IKE_SA_INIT, False), 2)
    with pytest.raises(ScriptError, match="is a fragment: it is not split"):
        split_into(message_in(sa, PART, ExchangeType.IKE_AUTH, False), 2)


# That the peer and both roles of the endpoint write like that.


def test_a_script_that_says_a_wrong_message_says_it_in_each_fragment():
    peer = Bench().peer
    peer.establish()
    peer.ike.connection = replace(peer.ike.connection, fragment_size=200)
    peer.ike.fragments = True
    before = len(peer.events)
    peer.say(peer.informational(*INSIDE).with_fault(ReservedFlags()))

    sent = [each for each in peer.events[before:] if isinstance(each, Transmission) and each.sent]
    assert len(sent) > 2
    assert {Header.decode(each.packet.octets).reserved_flags for each in sent} == {0xC7}


class SetsReservedFlags(Decisions):
    """Sets the reserved flags of one exchange."""

    def edit(self, message: Message) -> Message:
        wrong = message.exchange == ExchangeType.IKE_INTERMEDIATE
        return message.with_fault(ReservedFlags()) if wrong else message


@pytest.mark.parametrize("wrong", [0, 1], ids=["initiator", "responder"])
def test_an_endpoint_has_its_fault_in_each_fragment_of_ike_intermediate(wrong):
    hybrid = described(addke(1, KeyExchangeMethod.ML_KEM_768), fragment_size=400)
    decisions = [Decisions(), Decisions()]
    decisions[wrong] = SetsReservedFlags()
    wire = Wire(hybrid, decisions=tuple(decisions))
    wire.establish()

    headers = [Header.decode(packet.octets) for packet in wire.sent]
    between = [each for each in headers if each.exchange == ExchangeType.IKE_INTERMEDIATE]
    flags = {
        response: [each.reserved_flags for each in between if each.response == response]
        for response in (False, True)
    }
    assert len(flags[False]) > 2
    assert len(flags[True]) > 2
    assert set(flags[wrong == 1]) == {0xC7}
    assert set(flags[wrong == 0]) == {0}


# That these tests can fail.


def forgetful(sa: IkeSa, message: Message) -> Sequence[bytes]:
    """Write fragments without the faults that were handed on to them."""
    parts = [replace(part, faults=()) for part in sa.parts(message)]
    return [sa.encode(part) for part in parts]


HANDED_ON = [each for each in ROWS if each.made is not CONTENT and SPLIT not in each.refused]


@pytest.mark.parametrize("each", HANDED_ON, ids=lambda each: str(each.fault))
def test_control_a_fault_that_is_not_handed_on_is_noticed(sa, each):
    with pytest.raises(AssertionError, match="is silent in fragments"):
        check(each, sa, (SPLIT, ExchangeType.IKE_AUTH, False), forgetful)


def first_only(sa: IkeSa, message: Message) -> Sequence[bytes]:
    """Write fragments of which only the first keeps the faults that were handed on."""
    first, *later = sa.parts(message)
    return [sa.encode(part) for part in (first, *(replace(each, faults=()) for each in later))]


def test_control_a_fault_that_only_the_first_fragment_has_is_noticed(sa):
    with pytest.raises(AssertionError, match="silent in some fragment"):
        check(row(ReservedFlags(), EACH), sa, (SPLIT, ExchangeType.IKE_AUTH, False), first_only)


class Misplaced(ReservedFlags):
    """Stands in the header, and says that it is made in the content."""

    def reach(self, draft: Draft) -> Reach:
        return CONTENT


class Idle(ReservedFlags):
    """Does nothing, and is not asked whether it does."""

    def make(self, draft: Draft) -> None:
        return


@pytest.mark.parametrize(
    ("fault", "context", "reason"),
    [
        (Misplaced(), (SPLIT, ExchangeType.IKE_AUTH, True), "Misplaced.. is silent in fragments"),
        (Idle(), (CLEAR, ExchangeType.IKE_SA_INIT, True), "Idle.. is silent in clear"),
        (Idle(), (WHOLE, ExchangeType.IKE_INTERMEDIATE, True), "Idle.. is silent whole"),
        (Idle(), (PART, ExchangeType.IKE_AUTH, False), "Idle.. is silent one fragment"),
    ],
    ids=str,
)
def test_control_a_fault_that_does_nothing_is_noticed(sa, fault, context, reason):
    check(row(ReservedFlags(), EACH), sa, context)
    with pytest.raises(AssertionError, match=reason):
        check(row(fault, EACH), sa, context)


def test_control_a_reason_that_is_not_given_is_noticed(sa):
    context = (WHOLE, ExchangeType.IKE_INTERMEDIATE, True)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check(row(ReservedFlags(), EACH, all="never"), sa, context)
