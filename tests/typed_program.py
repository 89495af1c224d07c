"""The whole program, imported: what the fork server of `tests.typed` has at hand."""

from importlib import import_module

from cli.main import COMMANDS

for name in dict.fromkeys(COMMANDS.values()):
    import_module(f"cli.{name}")
