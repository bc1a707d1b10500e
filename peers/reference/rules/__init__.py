"""What every message of a sender has to be like, whatever it is about (RFC 7296, 1 to 3)."""

from peers.reference.rules import messages, sequences
from peers.reference.rules.registry import RULES, Complaint, Rule, Seen, seen_in

__all__ = ["RULES", "Complaint", "Rule", "Seen", "messages", "seen_in", "sequences"]
