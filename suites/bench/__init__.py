"""Figures of the reference peer, measured side by side with what else does the same work."""
