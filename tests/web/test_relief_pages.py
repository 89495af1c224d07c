"""Pages of dispatch, stock, funds, ledger, households and lists, over the small demo."""

import csv
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from urllib.parse import quote_plus, urlencode
from uuid import UUID

import pytest
from anyio import to_thread
from fastapi.testclient import TestClient

from api.routes import READS
from api.sheets import has_sheet
from projections.asking.ledger_sums import ledger_totals
from projections.asking.scope import EVERYTHING
from tests.web.relief_desk import PASSWORD, RunningDemo, spelled

PAGES = (
    "/dispatch",
    "/dispatch/board",
    "/dispatch/new",
    "/dispatch/past",
    "/stock",
    "/stock/board",
    "/stock/consignments",
    "/funds",
    "/ledger",
    "/ledger/paper",
    "/ledger/csv",
    "/lists",
    "/notices",
    "/findings",
)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
OURS = re.compile(
    r'href="(/(?:dispatch|stock|funds|ledger|lists|notices|households|findings)[^"]*)"'
)


def enter(server: TestClient, login: str) -> None:
    server.cookies.clear()
    answer = server.post("/v1/sessions", json={"login": login, "password": PASSWORD})
    assert answer.status_code == 200


def test_a_stranger_is_sent_to_the_log_in(server: TestClient) -> None:
    server.cookies.clear()
    for path in PAGES:
        answer = server.get(path, follow_redirects=False)
        assert (answer.status_code, path) == (303, path)
        assert answer.headers["location"].startswith("/login?next=")


def test_an_administrator_has_no_business_pages(server: TestClient) -> None:
    enter(server, "administrator")
    assert {server.get(path).status_code for path in PAGES if path != "/dispatch/new"} == {403}


def test_the_ledger_says_the_totals_of_the_views(server: TestClient, demo: RunningDemo) -> None:
    enter(server, "county-approver")
    page = server.get("/ledger").text
    season = re.findall(r'href="/ledger\?season=([^"&]+)"[^>]*>[^<]*2017', page)[0]
    page = server.get(f"/ledger?season={season}").text
    with demo.system.reader() as db:
        totals = ledger_totals(db, EVERYTHING, year=2017)
    assert totals is not None
    granted = totals["granted"]
    assert granted["households"] > 0
    assert f"{granted['cash_fen'] // 100:,}.00\u00a0元" in page
    for units in (granted["households"], granted["persons"], *granted["goods"].values()):
        assert f">{units}&nbsp;<small>" in page


def test_a_foreign_household_is_not_found_and_its_village_finds_it(server: TestClient) -> None:
    enter(server, "county-approver")
    household = OURS.findall(server.get("/ledger/rows", params=season_of(server)).text)[0]
    assert server.get(household).status_code == 200
    enter(server, "taihu-approver")
    assert server.get(household).status_code == 404


def season_of(server: TestClient) -> dict[str, str]:
    found = server.get("/v1/seasons", params={"year": 2017}).json()["items"]
    return {"season": found[0]["id"]}


def test_no_page_shows_an_unmasked_name_or_a_number(server: TestClient, demo: RunningDemo) -> None:
    enter(server, "county-approver")
    store = demo.system.store
    store.effects.until(store.head(), 60)
    names = [row[0] for row in store.vault.fetch("SELECT name FROM name_entries")]
    assert names
    season = season_of(server)
    paper = server.get("/ledger/paper", params=season).text
    rows = server.get("/ledger/rows", params=season).text
    for page in (paper, rows):
        assert "*" in page
        assert [name for name in names if f">{name}<" in page] == []
        assert not re.search(r"\d{17}[\dX]", page)


@pytest.mark.parametrize("kind", ["name", "pinyin", "initials"])
def test_the_search_finds_a_head_and_says_only_the_mask(
    server: TestClient, demo: RunningDemo, kind: str
) -> None:
    enter(server, "county-approver")
    season = season_of(server)
    one = server.get("/v1/ledger", params={**season, "limit": 1}).json()["items"][0]
    store = demo.system.store
    store.effects.until(store.head(), 60)
    words = spelled(store, UUID(one["head"]))
    found = server.get("/ledger/rows", params={**season, "search": words[kind]}).text
    assert f'id="case-{one["id"]}"' in found
    assert words["name"] not in found
    assert found.count("data-row ") < 20


def test_a_search_that_is_cut_says_so(server: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A village found 14 of 50 heads, and nothing said that there were more."""
    monkeypatch.setattr("web.pages.ledger.ROWS", 2)
    enter(server, "county-approver")
    season = season_of(server)
    cut = server.get("/ledger/rows", params={**season, "search": "居委会"}).text
    assert "不止 2 户" in cut and cut.count("data-row ") == 2
    whole = server.get("/ledger/rows", params={**season, "search": "qqqqqq"}).text
    assert "不止" not in whole
    assert "不止" not in server.get("/ledger/rows", params=season).text, "a list is not a search"


def test_a_search_that_finds_nobody_says_so(server: TestClient) -> None:
    enter(server, "county-approver")
    page = server.get("/ledger/rows", params={**season_of(server), "search": "qqqqqq"}).text
    assert "没有找到" in page


@pytest.mark.parametrize(
    ("login", "path", "said"),
    [
        ("county-approver", "/ledger", {}),
        ("county-approver", "/ledger", {"status": "delivered"}),
        ("county-approver", "/ledger", {"search": "居委会"}),
        ("county-approver", "/lists", {}),
        ("county-approver", "/lists", {"status": "closed"}),
        ("county-storekeeper", "/stock/consignments", {}),
        ("auditor", "/funds", {}),
        ("auditor", "/findings", {}),
        ("dispatcher", "/dispatch/past", {}),
        ("county-approver", "/timeline", {}),
    ],
)
def test_a_long_list_is_walked_forth_and_back_with_its_filter(
    server: TestClient,
    login: str,
    path: str,
    said: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("ledger", "lists", "consignments", "stock", "funds", "dispatch", "timeline"):
        monkeypatch.setattr(f"web.pages.{module}.ROWS", 4)
    enter(server, login)
    asked = season_of(server) | said if path == "/ledger" else said
    forth, address = [], f"{path}?{urlencode(asked)}"
    for _ in range(6):
        page = server.get(address).text
        forth.append(re.findall(r'data-row[^>]* id="([^"]+)"', page))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        if following is None:
            break
        address = following[1].replace("&amp;", "&")
        kept = {name: "~" if name == "search" else quote_plus(said[name]) for name in said}
        assert all(f"{name}={value}" in address.replace("%7E", "~") for name, value in kept.items())
    back = [forth[-1]]
    for number in range(len(forth) - 1):
        before = re.search(r'rel="prev" href="([^"]+)"', page)
        assert before is not None, number
        page = server.get(before[1].replace("&amp;", "&")).text
        back.append(re.findall(r'data-row[^>]* id="([^"]+)"', page))
    assert 'rel="prev"' not in page
    assert back[::-1] == forth
    rows = [row for rows in forth for row in rows]
    assert len(rows) == len(set(rows)) > 0
    if path in ("/ledger", "/lists", "/timeline", "/stock/consignments"):
        assert len(forth) > 1


def test_the_paper_form_has_its_ten_columns_and_sums_that_match_the_totals(
    server: TestClient, demo: RunningDemo
) -> None:
    enter(server, "county-approver")
    paper = server.get("/ledger/paper", params=season_of(server)).text
    assert re.findall(r"D030\d\d", paper) == [f"D030{n:02d}" for n in range(1, 11)]
    with demo.system.reader() as db:
        totals = ledger_totals(db, EVERYTHING, year=2017)
    assert totals is not None
    paid = f"{totals['paid_or_signed']['cash_fen'] // 100:,}.00\u00a0元"
    assert paid in paper.split("<tfoot>")[1]


def test_the_download_holds_the_rows_of_the_page_for_people(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filter and search of the page, every row, a heading, yuan, Chinese states, no JSON."""
    monkeypatch.setattr("web.pages.ledger.ROWS", 10)
    monkeypatch.setattr("api.reads.MAX_LIMIT", 7)
    enter(server, "county-approver")
    season = season_of(server)
    asked: list[dict[str, str]] = [{}, {"status": "delivered"}, {"search": "双峰"}]
    counts = []
    for more in [*asked, {"search": "没有这个人"}]:
        answer = server.get("/ledger/csv", params={**season, **more})
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["cache-control"] == "no-store"
        head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
        assert head[:3] == ["乡镇", "村（社区）", "村民小组"] and "核定救助款（元）" in head
        shown = server.get("/v1/ledger", params={**season, **more, "limit": 1000}).json()["items"]
        assert len(rows) == len(shown)
        counts.append(len(rows))
        text = answer.text
        assert not re.search(r"[{\[]|granted|closed|subsistence|(^|,)[=+@]", text)
    assert counts[0] > 40 and 0 < counts[1] < counts[0] and 0 < counts[2] < counts[0]
    assert counts[3] == 0


def test_every_sheet_of_the_demo_is_in_words(server: TestClient) -> None:
    """Every state that occurs has a word: what has none would stand there as our own key."""
    enter(server, "auditor")
    for read in READS:
        if not has_sheet(read.query.__name__) or read.in_path:
            continue
        answer = server.get(read.path, headers={"Accept": "text/csv"})
        if answer.status_code == 403:
            continue
        _, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
        ours = {cell for row in rows for cell in row if re.fullmatch(r"[a-z]+(_[a-z]+)*", cell)}
        assert not ours - {"administrator", "auditor", "dispatcher"}, read.path


def test_the_paper_form_is_paged_on_the_screen_and_whole_for_the_printer(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A county has 16,000 households: 4.3 MB of a page that opened in half a minute."""
    monkeypatch.setattr("web.pages.ledger.SHEET_ROWS", 25)
    monkeypatch.setattr("web.pages.ledger.WHOLE", 20)
    enter(server, "county-approver")
    season = season_of(server)
    whole = server.get("/ledger/paper", params={**season, "whole": "true"}).text
    rows, page = [], server.get("/ledger/paper", params=season).text
    assert "本页合计" in page and "全表" in page
    while True:
        rows += re.findall(r"<tr><td>[^<]*</td><td>密封.*?</tr>", page, re.S)
        more = re.search(r'rel="next" href="(/ledger/paper[^"]*cursor=[^"]*)"', page)
        if more is None:
            break
        page = server.get(more[1].replace("&amp;", "&")).text
    all_rows = re.findall(r"<tr><td>[^<]*</td><td>密封.*?</tr>", whole, re.S)
    assert rows == all_rows and len(rows) > 40
    assert "本页合计" not in whole and f"合计 {len(rows)} 户" in whole
    few = server.get("/ledger/paper", params={**season, "status": "failed", "whole": "true"}).text
    assert few.count("密封") < whole.count("密封")


def test_whole_papers_for_as_many_as_there_are_threads_are_all_sent(
    server: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each held its thread while it waited for another to ask for the next page: forty printers
    would have stopped the server for good."""
    monkeypatch.setattr("web.pages.ledger.WHOLE", 1)
    enter(server, "county-approver")
    asked = {**season_of(server), "whole": "true"}
    with ThreadPoolExecutor(4) as printers, few_threads(server, 2):
        sent = [printers.submit(server.get, "/ledger/paper", params=asked) for _ in range(4)]
        done, waiting = wait(sent, timeout=60)
    assert not waiting
    assert all("合计" in one.result().text for one in done)


@contextmanager
def few_threads(server: TestClient, few: int) -> Iterator[None]:
    """The server has so many threads for what may wait."""
    portal = server.portal
    assert portal is not None

    def set_to(tokens: float) -> float:
        limiter = to_thread.current_default_thread_limiter()
        before, limiter.total_tokens = limiter.total_tokens, tokens
        return before

    before = portal.call(set_to, few)
    try:
        yield
    finally:
        portal.call(set_to, before)


def test_the_stock_page_shows_an_equation_that_adds_up(server: TestClient) -> None:
    enter(server, "county-storekeeper")
    page = server.get("/stock").text
    for equation in re.findall(r'<p class="equation">(.*?)</p>', page, re.S):
        left, right = equation.split("＝")
        sums = [
            sum(int(f.replace(",", "").split(".")[0]) for f in re.findall(r"figure\">([\d,]+)", s))
            for s in (left, right)
        ]
        assert sums[0] == sums[1] > 0
    assert "不平" not in page


def test_a_households_history_is_told_in_sentences(server: TestClient) -> None:
    enter(server, "auditor")
    rows = server.get("/ledger/rows", params=season_of(server)).text
    page = server.get(OURS.findall(rows)[0]).text
    for words in ("登记本户", "户报：需救助", "村评通过", "乡审通过", "县定，文号", "已打卡"):
        assert words in page
    assert "ReliefCase." not in page
    english = server.get(OURS.findall(rows)[0] + "?lang=en").text
    assert "applied for" in english
    server.cookies.delete("lang")


def test_every_row_of_the_funds_adds_up_to_the_eye(server: TestClient) -> None:
    enter(server, "county-approver")
    rows = re.findall(r'<tr data-row id="fund-.*?</tr>', server.get("/funds").text, re.S)
    assert rows
    for row in rows:
        row = re.sub(
            r'<td class="num" data-label="退票">.*?</td>', "", row
        )  # paid out again, or left
        cells = re.findall(r'<td class="num"[^>]*>(?:<b>)?([\d,.]+)\u00a0元', row)
        came, back, *went = [int(re.sub(r"\D", "", cell)) for cell in cells]
        assert len(went) == 5 and came + back == sum(went) > 0


def test_the_lineage_of_a_document_leads_to_village_lists(server: TestClient) -> None:
    enter(server, "county-approver")
    trees = [
        server.get(link.replace("&amp;", "&")).text
        for link in OURS.findall(server.get("/funds").text)
        if "lineage" in link
    ]
    assert any('class="leaf"><a href="/lists/' in tree for tree in trees)


def test_every_page_says_that_the_households_are_made_up(server: TestClient) -> None:
    enter(server, "county-approver")
    for path in PAGES:
        if path not in ("/ledger/csv", "/dispatch/board", "/stock/board"):
            assert ("演示数据：户和人均为虚构" in server.get(path).text, path) == (True, path)
