"""Pack the register of divisions: codes and names in, `intake/data/divisions-2023.zip` out.

    python scripts/pack_divisions.py divisions-2023.csv.gz

The list is that of `intake/data/SOURCES.md`: a gzipped CSV with the columns code and name, codes of
2, 4, 6, 9 and 12 digits. A province is one file of the archive, so that a county is read without
unpacking the nation; what lies above the townships is a file of its own, with its pinyin. The same
list gives the same bytes.
"""

import csv
import gzip
import hashlib
import io
import sys
import zipfile
from collections import defaultdict
from pathlib import Path

from pypinyin import lazy_pinyin

from eventstore.spelling import INITIALS, PINYIN, normalized, terms
from intake.register import ABOVE_TOWNSHIPS, PACKED, Register

READINGS = {
    "什邡市": "shi fang shi",
    "单县": "shan xian",
    "浚县": "xun xian",
    "涡阳县": "guo yang xian",
    "筠连县": "jun lian xian",
    "繁峙县": "fan shi xian",
    "荥经县": "ying jing xian",
    "郫都区": "pi du qu",
    "六合区": "lu he qu",
    "大埔县": "da bu xian",
    "珲春市": "hun chun shi",
}
"""Names of places that pypinyin reads as their characters are read elsewhere."""
COUNTY_DIGITS = 6
SAME_DAY = (1980, 1, 1, 0, 0, 0)
"""Every archive member's time: the bytes must not depend on when they were packed."""


def pack(lines: list[tuple[str, str]], target: Path) -> None:
    """Write the archive of these codes and names."""
    upper = [f"{code},{name},{spelled(name)}" for code, name in lines if len(code) <= COUNTY_DIGITS]
    lower = defaultdict(list)
    for code, name in sorted(lines):
        if len(code) > COUNTY_DIGITS:
            lower[code[:2]].append(f"{code},{name}")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        for name, rows in ((ABOVE_TOWNSHIPS, sorted(upper)), *sorted(lower.items())):
            info = zipfile.ZipInfo(name, SAME_DAY)
            info.compress_type = zipfile.ZIP_LZMA
            archive.writestr(info, "\n".join(rows) + "\n")


def spelled(name: str) -> str:
    """Every way in which somebody may type the name in Latin letters, by spaces."""
    read = READINGS.get(name, " ".join(lazy_pinyin(name))).split()
    found = {normalized("".join(read)), normalized("".join(one[0] for one in read))}
    found |= {term[1:] for term in terms(name) if term[0] in (PINYIN, INITIALS)}
    return " ".join(sorted(found))


def main() -> None:
    with gzip.open(sys.argv[1], "rb") as packed:
        rows = list(csv.reader(io.TextIOWrapper(packed, encoding="utf-8")))
    lines = [(code, name) for code, name in rows[1:]]
    pack(lines, PACKED)
    register = Register()
    size, digest = register.count_and_digest()
    print(f"{size} divisions, digest {digest}, {PACKED.stat().st_size} bytes")
    text = "".join(f"{code},{name}\n" for code, name in sorted(lines))
    assert (size, digest) == (len(lines), hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
