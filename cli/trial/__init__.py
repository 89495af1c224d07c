"""Real servers from the virtual environment alone, for `relief up --trial` and the tests."""
