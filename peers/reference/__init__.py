"""A sans-IO IKEv2 and ESP peer: octets, ``now`` and ``random`` in, octets and events out.

Nothing in this package imports a socket, a clock, a randomness source, Docker, pytest or scapy.
"""
