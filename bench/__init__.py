"""Benchmarks against reference designs. Not used in production."""
