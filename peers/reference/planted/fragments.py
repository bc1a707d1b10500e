"""Planted faults: IKE fragmentation (RFC 7383)."""

from __future__ import annotations

from dataclasses import replace

from peers.reference.decisions import Decisions
from peers.reference.errors import PeerError
from peers.reference.faults import ReservedFields
from peers.reference.fragment import Fragment
from peers.reference.fragments import WITHOUT_LIMIT, Reassembly, split_into
from peers.reference.message import Message
from peers.reference.numbers import ExchangeType, NotifyType, PayloadType, ProtocolId
from peers.reference.payloads import AUTH, Notify, Payload
from peers.reference.planted.catalogue import fault
from peers.reference.sa import Datagrams, IkeSa


def _announces(payload: Payload) -> bool:
    kind = NotifyType.IKEV2_FRAGMENTATION_SUPPORTED
    return isinstance(payload, Notify) and payload.notify_type == kind


@fault("does-not-say-that-it-takes-fragments")
class DoesNotSayThatItTakesFragments(Decisions):
    """IKE_SA_INIT messages of ours have no IKEV2_FRAGMENTATION_SUPPORTED."""

    def edit(self, message: Message) -> Message:
        return message.without_notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)


@fault("says-the-protocol-of-fragmentation")
class SaysTheProtocolOfFragmentation(Decisions):
    """IKEV2_FRAGMENTATION_SUPPORTED has Protocol ID 1."""

    def edit(self, message: Message) -> Message:
        wrong = Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED, b"", ProtocolId.IKE)
        payloads = tuple(wrong if _announces(each) else each for each in message.payloads)
        return replace(message, payloads=payloads)


@fault("fragments-unasked")
class FragmentsUnasked(Decisions):
    """Large messages go in fragments, whatever the peer takes."""

    def datagrams(self, sa: IkeSa, message: Message) -> Datagrams:
        if not message.protected:
            return super().datagrams(sa, message)
        return tuple(sa.encode(part) for part in split_into(message, 2))


@fault("sets-reserved-fields-in-fragments")
class SetsReservedFieldsInFragments(Decisions):
    """RESERVED of AUTH is set in messages that go in fragments, and in no others."""

    def datagrams(self, sa: IkeSa, message: Message) -> Datagrams:
        split = len(sa.parts(message)) > 1 and message.has(AUTH)
        return super().datagrams(sa, message.with_fault(ReservedFields(AUTH)) if split else message)


class OtherFragments(Decisions):
    """Sends other fragments than it should."""

    def datagrams(self, sa: IkeSa, message: Message) -> Datagrams:
        """Split the message, and make the error in each fragment."""
        parts = sa.parts(message)
        if len(parts) == 1:
            return super().datagrams(sa, message)
        return tuple(sa.encode(self.changed(part, parts[0])) for part in parts)

    def changed(self, part: Message, first: Message) -> Message:
        """Make the error."""
        return part

    def renumbered(self, part: Message, **changes: int | PayloadType) -> Message:
        """Give a fragment with another number, total or first payload."""
        assert part.fragment is not None
        return replace(part, fragment=replace(part.fragment, **changes))  # type: ignore[arg-type]


@fault("names-the-first-payload-in-each-fragment")
class NamesTheFirstPayloadInEachFragment(OtherFragments):
    """Every fragment says the type of the first payload inside."""

    def changed(self, part: Message, first: Message) -> Message:
        assert first.fragment is not None
        return self.renumbered(part, first=first.fragment.first)


@fault("counts-fragments-of-a-larger-total")
class CountsFragmentsOfALargerTotal(OtherFragments):
    """The last fragment says that there is one more."""

    def changed(self, part: Message, first: Message) -> Message:
        assert part.fragment is not None
        last = part.fragment.number == part.fragment.total
        return self.renumbered(part, total=part.fragment.total + 1) if last else part


@fault("sets-a-flag-in-later-fragments")
class SetsAFlagInLaterFragments(OtherFragments):
    """The headers of fragments after the first have the V flag."""

    def changed(self, part: Message, first: Message) -> Message:
        assert part.fragment is not None
        return replace(part, higher_version=part.fragment.number > 1)


@fault("puts-a-payload-before-later-fragments")
class PutsAPayloadBeforeLaterFragments(OtherFragments):
    """A notify stands in clear before the Encrypted Fragment payload, not only in fragment 1."""

    def changed(self, part: Message, first: Message) -> Message:
        notify = Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED)
        return replace(part, unprotected=(notify,))


@fault("wants-fragments-in-order")
class WantsFragmentsInOrder(Decisions):
    """A fragment that does not follow the last one is dropped."""

    def reassemble(self, kept: Reassembly, part: Message) -> Message | None:
        assert part.fragment is not None
        if part.fragment.number != kept.count(part) + 1:
            raise PeerError("a fragment is missing before this one")
        return super().reassemble(kept, part)


class OtherReassembly(Decisions):
    """Keeps fragments that it should discard, in the place of others."""

    def reassemble(self, kept: Reassembly, part: Message) -> Message | None:
        """Take the fragment for another one."""
        assert part.fragment is not None
        taken = self.taken_for(part.fragment, kept.total(part))
        return super().reassemble(kept, replace(part, fragment=taken))

    def taken_for(self, fragment: Fragment, total: int) -> Fragment:
        """Make the error; ``total`` is that of the fragments that are kept, 0 without any."""
        return fragment


@fault("takes-any-fragment-number")
class TakesAnyFragmentNumber(OtherReassembly):
    """A fragment of a number that cannot be is kept as the first or the last one."""

    def taken_for(self, fragment: Fragment, total: int) -> Fragment:
        most = max(fragment.total, total, 1)
        return replace(fragment, number=min(max(fragment.number, 1), most), total=most)


@fault("mixes-fragments-of-smaller-totals")
class MixesFragmentsOfSmallerTotals(OtherReassembly):
    """A fragment of a set that was given up is kept in the present one."""

    def taken_for(self, fragment: Fragment, total: int) -> Fragment:
        return replace(fragment, total=max(fragment.total, total))


@fault("mixes-fragments-of-larger-totals")
class MixesFragmentsOfLargerTotals(OtherReassembly):
    """The total of the first fragment holds, whatever later ones say."""

    def taken_for(self, fragment: Fragment, total: int) -> Fragment:
        return replace(fragment, total=total or fragment.total)


@fault("replaces-fragments")
class ReplacesFragments(Decisions):
    """A fragment that comes again takes the place of the one that is kept."""

    def reassemble(self, kept: Reassembly, part: Message) -> Message | None:
        kept.drop(part)
        return super().reassemble(kept, part)


@fault("forgets-fragments-after-a-forgery")
class ForgetsFragmentsAfterAForgery(Decisions):
    """A fragment that does not verify takes the kept ones along."""

    def spoils_fragments(self) -> bool:
        return True


@fault("keeps-fragments-without-limit")
class KeepsFragmentsWithoutLimit(Decisions):
    """All fragments of a message are kept, however much is in them."""

    def reassembly(self) -> Reassembly:
        return Reassembly(WITHOUT_LIMIT)


@fault("goes-on-after-too-many-fragments")
class GoesOnAfterTooManyFragments(Decisions):
    """Fragments of more than is kept of a message are dropped, and the IKE SA goes on."""

    def ends_beyond_the_limit(self) -> bool:
        return False


@fault("makes-fragments-of-any-size")
class MakesFragmentsOfAnySize(Decisions):
    """A message that is too large goes in one fragment, which is larger."""

    def datagrams(self, sa: IkeSa, message: Message) -> Datagrams:
        if len(sa.parts(message)) == 1:
            return super().datagrams(sa, message)
        (part,) = split_into(message, 1)
        return (sa.encode(part),)


@fault("fragments-ike-auth-only")
class FragmentsIkeAuthOnly(Decisions):
    """Large messages after IKE_AUTH go in one piece."""

    def datagrams(self, sa: IkeSa, message: Message) -> Datagrams:
        if message.exchange == ExchangeType.IKE_AUTH or not message.protected:
            return super().datagrams(sa, message)
        return (sa.encode(message),)


@fault("asks-no-more-after-a-fragment")
class AsksNoMoreAfterAFragment(Decisions):
    """With the first fragment of its response a request counts as answered."""

    def asks_on(self) -> bool:
        return False


@fault("waits-for-the-other-fragments")
class WaitsForTheOtherFragments(Decisions):
    """While fragments of a request are kept, the request is not taken in one piece."""

    def takes_whole(self, kept: Reassembly, message: Message) -> bool:
        return not kept.count(message)


@fault("repeats-response-for-any-fragment")
class RepeatsResponseForAnyFragment(Decisions):
    """Every fragment of an answered request has the response sent again."""

    def repeats_response_for(self, fragment: Fragment) -> bool:
        return True


@fault("repeats-no-response-for-fragments")
class RepeatsNoResponseForFragments(Decisions):
    """No fragment of an answered request has the response sent again."""

    def repeats_response_for(self, fragment: Fragment) -> bool:
        return False
