"""Imported by nobody: a row of the log names it, and a test asserts that it stays unloaded."""

raise RuntimeError("the log made the program import a module")
