"""The core tier: the tests that decide whether a daemon is usable (``-m core``)."""

MODULES = frozenset(
    {
        "rfc4303/test_s3_3_outbound.py",
        "rfc4303/test_s3_4_inbound.py",
        "rfc7296/test_s1_0_phases.py",
        "rfc7296/test_s1_2_initial_exchanges.py",
        "rfc7296/test_s1_2_invalid_ke_payload.py",
        "rfc7296/test_s1_3_1_create_child_sa.py",
        "rfc7296/test_s1_3_2_rekey.py",
        "rfc7296/test_s1_4_informational.py",
        "rfc7296/test_s2_01_requests_again.py",
        "rfc7296/test_s2_06_cookies.py",
        "rfc7296/test_s2_07_negotiation.py",
        "rfc7296/test_s2_09_traffic_selectors.py",
        "rfc7296/test_s2_15_shared_key.py",
        "rfc7296/test_s2_21_authentication.py",
        "rfc7296/test_s3_14_encrypted_payload.py",
    }
)
"""Set up, rekey and close SAs; refuse what is not authenticated; protect traffic; no replays."""
