"""Coverage-guided fuzzing of everything that reads octets which a peer sends."""
