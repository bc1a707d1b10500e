"""Additional key exchanges as tests negotiate them (RFC 9370)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from peers.reference.additional import ADDITIONAL, addke, has_additional
from peers.reference.message import Message
from peers.reference.negotiation import esp_proposal
from peers.reference.numbers import KeyExchangeMethod, NotifyType
from peers.reference.payloads import SA, Notify, Proposal
from peers.targets.base import Capability
from suites.terms import AES_GCM_256, CURVE25519, DEFAULT, Suite, ike

NONE = KeyExchangeMethod.NONE
ECP_256 = KeyExchangeMethod.ECP_256
ECP_384 = KeyExchangeMethod.ECP_384
ML_KEM_768 = KeyExchangeMethod.ML_KEM_768
MODP_8192 = KeyExchangeMethod.MODP_8192

SUPPORTED = NotifyType.INTERMEDIATE_EXCHANGE_SUPPORTED

PLAIN = ike(AES_GCM_256, CURVE25519)
"""What the same target takes without additional key exchanges."""


def additional(*chosen: tuple[int, KeyExchangeMethod]) -> Proposal:
    """Build an IKE proposal with these additional key exchanges, each with its place, 1 to 7."""
    return ike(AES_GCM_256, CURVE25519, *(addke(place, method) for place, method in chosen))


def negotiating(*chosen: tuple[int, KeyExchangeMethod]) -> pytest.MarkDecorator:
    """Configure the target with additional key exchanges, and with no other proposal."""
    needs = pytest.mark.needs(Capability.ADDITIONAL_KEY_EXCHANGES)
    suite = Suite((additional(*chosen),), DEFAULT.esp)
    return pytest.mark.parametrize("suite", [pytest.param(suite, id="", marks=needs)])


def throughout(*chosen: tuple[int, KeyExchangeMethod]) -> Suite:
    """Take additional key exchanges for the IKE SA and for Child SAs of CREATE_CHILD_SA."""
    more = [addke(place, method) for place, method in chosen]
    return Suite((additional(*chosen),), (esp_proposal(AES_GCM_256, CURVE25519, *more),))


EACH_COMBINATION = pytest.mark.parametrize(
    "suite",
    [
        pytest.param(
            throughout(*enumerate(methods, 1)),
            id=" + ".join(map(str, (KeyExchangeMethod.CURVE25519, *methods))),
            marks=pytest.mark.needs(Capability.ADDITIONAL_KEY_EXCHANGES),
        )
        for methods in ((ECP_256,), (ECP_256, ECP_384), (ML_KEM_768,))
    ],
)
"""Two and three classical key exchanges, and a hybrid, whose second resists quantum computers."""

one = negotiating((1, ECP_256))
two = negotiating((1, ECP_256), (2, ECP_384))


def without_notify(message: Message) -> Message:
    """Leave INTERMEDIATE_EXCHANGE_SUPPORTED out of a message."""
    kept = tuple(
        each
        for each in message.payloads
        if not (isinstance(each, Notify) and each.notify_type == SUPPORTED)
    )
    return replace(message, payloads=kept)


def offering(message: Message, *proposals: Proposal) -> Message:
    """Put other proposals into an IKE_SA_INIT request, numbered as they stand."""
    numbered = (replace(each, number=number) for number, each in enumerate(proposals, 1))
    return message.replacing(SA(tuple(numbered)))


def chosen_methods(response: Message) -> list[tuple[int, int]]:
    """List the additional key exchanges that a response chose, by place, NONE left out."""
    [proposal] = response.get(SA).proposals
    return [
        (place, each.id)
        for place, kind in enumerate(ADDITIONAL, 1)
        for each in proposal.of(kind)
        if each.id
    ]


def has_none_of_them(response: Message) -> bool:
    """Say whether a response chose a proposal without additional key exchanges."""
    return not any(map(has_additional, response.get(SA).proposals))
