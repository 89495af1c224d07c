"""Say which Python is needed when this one is too old or too new."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(
        f"需要 Python 3.11–3.13，当前为 {found}；可用 make run PYTHON=python3.12 指定\n"
        f"Python 3.11 to 3.13 is needed, this is {found}: try make run PYTHON=python3.12"
    )
