"""The second decoder: tshark decrypts a test's evidence with the profile that lies beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from peers.reference.events import ChildKeysDerived, IkeKeysDerived
from peers.reference.numbers import Encr
from reports.evidence import evidence_folder, write_evidence
from reports.model import FileKind
from reports.verdicts import Verdict
from reports.wireshark import ESP_TABLE, IKE_TABLE, esp_table, ike_table
from suites.selftest.reports_events import CHILD_KEYS, IKE_KEYS
from suites.selftest.reports_sample import record

needs_tshark = pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")


@pytest.fixture
def folder(tmp_path):
    folder = evidence_folder(tmp_path, "strongswan", "test_one")
    files = write_evidence(tmp_path, folder, record(verdict=Verdict.CONFORMS), captured=False)
    kinds = {file.kind: tmp_path / file.path for file in files}
    assert kinds[FileKind.IKE_KEYS] == folder / "wireshark" / IKE_TABLE
    assert kinds[FileKind.ESP_KEYS] == folder / "wireshark" / ESP_TABLE
    return folder


def tshark(folder, *arguments: str) -> list[list[str]]:
    """Read the capture as the README of the evidence says; give the fields of each packet."""
    done = subprocess.run(
        ["tshark", "-r", "capture.pcapng", "-T", "fields", *arguments],
        cwd=folder,
        env=os.environ | {"WIRESHARK_CONFIG_DIR": str(folder / "wireshark")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


@needs_tshark
def test_tshark_decrypts_ike_auth_and_esp(folder):
    packets = tshark(folder, *("-e", "isakmp.id.data.fqdn", "-e", "icmp.type"))

    assert packets == [
        ["", ""],
        ["", ""],
        ["peer-7.ikeproof.test", ""],
        ["target.ikeproof.test", ""],
        ["", "8"],
        ["", "0"],
    ]


@needs_tshark
def test_without_the_tables_tshark_sees_nothing_inside(folder):
    (folder / "wireshark" / IKE_TABLE).unlink()
    (folder / "wireshark" / ESP_TABLE).unlink()

    packets = tshark(folder, *("-e", "isakmp.id.data.fqdn", "-e", "icmp.type"))

    assert all(fields == ["", ""] for fields in packets)


def test_each_sa_has_its_line_once():
    events = [IkeKeysDerived(1.0, IKE_KEYS), ChildKeysDerived(2.0, CHILD_KEYS)]

    once, twice = (ike_table(events), esp_table(events)), (ike_table(events * 2), esp_table(events))

    assert once == twice
    assert once[0].count("\n") == 1
    assert CHILD_KEYS.initiator_spi.hex() in once[1]


def test_an_algorithm_that_wireshark_has_no_name_for_leaves_a_comment():
    odd = Encr(200)
    events = [
        IkeKeysDerived(1.0, replace(IKE_KEYS, encr=odd)),
        ChildKeysDerived(2.0, replace(CHILD_KEYS, encr=odd)),
    ]

    assert ike_table(events).startswith("# ")
    assert all(line.startswith("# ") for line in esp_table(events).splitlines())
