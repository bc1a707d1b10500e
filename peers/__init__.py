"""The reference peer, the targets it judges, and the lab they meet in."""
