"""Extract vectors from RFC texts: ``python -m vectors.extract --texts FOLDER [--check]``."""
