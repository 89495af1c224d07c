"""The `relief` command: home of the composition root."""
