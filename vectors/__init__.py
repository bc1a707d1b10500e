"""Published test vectors and their loader."""
