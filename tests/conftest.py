"""Shared fixtures. Each test makes what it needs and stops what it started."""
