"""Cut the demo county's data out of the national files: ``extract_demo_data.py [SOURCE_DIR]``.

SOURCE_DIR (default ``../shared/data`` beside the checkout) holds ``divisions-2023.csv.gz``,
``counties.geojson.gz`` and ``qianshan-2018.json``. The three extracts in ``demo/data`` are
written byte for byte the same on every run; ``demo/data/SOURCES.md`` says what they are.
"""

import csv
import gzip
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "demo" / "data"

NATION = ("0", "中华人民共和国")
PROVINCE = "34"
CITY = "3408"
COUNTY = "340882"
NEIGHBOR = "340825"
NEIGHBOR_TOWNSHIP = "340825100"
NEIGHBOR_VILLAGE = "340825100001"
CITY_ZONES = frozenset({"340871"})
"""Statistical zones of the city without a county code of their own in the register."""

LEVELS = {1: "nation", 2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
PARENT_DIGITS = {4: 2, 6: 4, 9: 6, 12: 9}


def wanted(code: str) -> bool:
    """Whether a division belongs to the demo."""
    if code in (PROVINCE, CITY, NEIGHBOR_TOWNSHIP, NEIGHBOR_VILLAGE):
        return True
    if len(code) == 6:
        return code.startswith(CITY) and code not in CITY_ZONES
    return len(code) > 6 and code.startswith(COUNTY)


def parent_of(code: str) -> str:
    """The code one level up; the nation has none."""
    if len(code) == 1:
        return ""
    return code[: PARENT_DIGITS[len(code)]] if len(code) > 2 else NATION[0]


def extract_divisions(source: Path, target: Path) -> None:
    with gzip.open(source / "divisions-2023.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = [(row["code"], row["name"]) for row in csv.DictReader(file) if wanted(row["code"])]
    rows.sort(key=lambda row: (len(row[0]), row[0]))
    with (target / "divisions.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("code", "name", "level", "parent"))
        for code, name in [NATION, *rows]:
            writer.writerow((code, name, LEVELS[len(code)], parent_of(code)))


def extract_outlines(source: Path, target: Path) -> None:
    with gzip.open(source / "counties.geojson.gz", "rt", encoding="utf-8") as file:
        national = json.load(file)
    features = [feature for feature in national["features"] if feature["id"].startswith(CITY)]
    features.sort(key=lambda feature: str(feature["id"]))
    lines = ",\n".join(json.dumps(f, ensure_ascii=False, separators=(",", ":")) for f in features)
    text = '{"type":"FeatureCollection","features":[\n' + lines + "\n]}\n"
    (target / "counties.geojson").write_text(text, encoding="utf-8")


def extract_figures(source: Path, target: Path) -> None:
    published = json.loads((source / "qianshan-2018.json").read_text(encoding="utf-8"))
    text = json.dumps(published, ensure_ascii=False, indent=2) + "\n"
    (target / "qianshan-2018.json").write_text(text, encoding="utf-8")


def main() -> None:
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data"
    extract_divisions(source, TARGET)
    extract_outlines(source, TARGET)
    extract_figures(source, TARGET)
    for path in sorted(TARGET.iterdir()):
        print(f"{path.stat().st_size:>8}  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
