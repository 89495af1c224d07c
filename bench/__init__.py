"""Benchmarks: each a ratio of two measurements made side by side in one run on one machine."""
