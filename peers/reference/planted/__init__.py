"""The closed catalogue of planted faults: ways for the embedded endpoint to be wrong.

Each is a subclass of `Decisions` that takes one decision wrongly; its docstring says how in one
sentence. ``bug`` is the number of the bug from the field that it reproduces, where there is one.
"""

from peers.reference.planted import (
    algorithms,
    authentication,
    child_sas,
    childless,
    collisions,
    configuration,
    cookies,
    esp,
    esp_terms,
    every_message,
    exchanges,
    header,
    informational,
    key_exchanges,
    message_ids,
    mobike,
    nat,
    negotiation,
    outside,
    payloads,
    ppk,
    sa_payloads,
    selectors,
    signatures,
)
from peers.reference.planted.catalogue import CATALOGUE, FUNDAMENTAL, find

__all__ = [
    "CATALOGUE",
    "FUNDAMENTAL",
    "algorithms",
    "authentication",
    "child_sas",
    "childless",
    "collisions",
    "configuration",
    "cookies",
    "esp",
    "esp_terms",
    "every_message",
    "exchanges",
    "find",
    "header",
    "informational",
    "key_exchanges",
    "message_ids",
    "mobike",
    "nat",
    "negotiation",
    "outside",
    "payloads",
    "ppk",
    "sa_payloads",
    "selectors",
    "signatures",
]
