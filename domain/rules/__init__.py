"""Rulebook content, one file a kind: frozen data with pure functions on it. No files, no clock.

What is local or may change (deadlines, amounts, thresholds, kinds, calendars) is data of a
rulebook, never a constant in code. `domain.rules.loading` turns the text of ``rules/*.toml`` into
these classes; ``Rulebook.Adopted`` carries the same content into the log.
"""
