"""``python -m cli.up.probe PORT``: exit code 0 if the process with that health port is healthy."""

import sys
from urllib.error import URLError
from urllib.request import urlopen

SECONDS = 3.0


def healthy(port: int) -> bool:
    """Whether ``/health`` on this machine answers 200 in time."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=SECONDS) as answer:  # nosec B310
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(int(sys.argv[1])) else 1)
