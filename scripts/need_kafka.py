"""Make sure the tests have Apache Kafka's jars.

Where they cannot be had its tests are skipped loudly; with CI=true this fails instead.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.apache_kafka import jars
from scripts.from_maven import Unavailable


def main() -> None:
    try:
        jars()
    except Unavailable as why:
        said = f"Apache Kafka 的测试将被跳过。Its tests will be SKIPPED. {why}"
        if os.environ.get("CI") == "true":
            sys.exit(said)
        print(said)


if __name__ == "__main__":
    main()
