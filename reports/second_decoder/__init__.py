"""Our codec's reading beside that of scapy and of tshark, field by field."""
