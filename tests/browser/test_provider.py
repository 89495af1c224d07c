"""Logging in by an identity provider in a real browser, which is sent from one site to the other.

Strict cookies stay behind when another site sends the browser on: only a browser tells whether the
officer is logged in all the same.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from api.provider_settings import RETURN_PATH, ProviderSettings
from domain.commands.officers import OpenAccount
from domain.world import Role
from tests.browser.conftest import DESK, PHONE, Check, OpenPage, Serve, Shot
from tests.provider import CLIENT_ID, CLIENT_SECRET, CityProvider, city_provider
from tests.web.desk import PASSWORD, LivingCounty, living_county


@pytest.fixture(scope="module")
def provider() -> Iterator[CityProvider]:
    """On another site than ours, which is 127.0.0.1."""
    with city_provider("localhost") as made:
        made.asks = True
        made.who = {"sub": "83692", "preferred_username": "张小明"}
        yield made


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("provider")) as made:
        for name in ("township", "village"):
            made.run(OpenAccount(officer=made.officers[name], login=name))
        yield made


def agreed(page: Page) -> None:
    page.get_by_role("button", name="Agree").click()


def by_password(page: Page, name: str = "township") -> None:
    page.get_by_label("登录名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


def test_an_officer_is_sent_there_and_comes_back_logged_in(
    county: LivingCounty,
    provider: CityProvider,
    open_page: OpenPage,
    serve: Serve,
    axe: Check,
    shot: Shot,
) -> None:
    system = county.system
    settings = ProviderSettings(
        issuer=provider.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        return_url="",
        name_zh="皖事通统一身份认证",
        name_en="Wanshitong",
        only_roles=frozenset({Role.TOWNSHIP_REVIEWER}),
    )
    system.provider = settings
    app = county.app()
    with serve(app) as base:
        system.provider = replace(settings, return_url=f"{base}{RETURN_PATH}")
        app.state.oidc.settings = system.provider
        page = open_page(width=PHONE)
        page.goto(f"{base}/login")
        axe(page)
        shot(page, "provider-login-375-zh")
        by_password(page)
        expect(page.get_by_text("绑定之前不能办理其他事项")).to_be_visible()
        shot(page, "provider-required-375-zh")
        page.get_by_role("link", name="前往皖事通统一身份认证绑定").click()
        agreed(page)
        expect(page.get_by_text("张小明")).to_be_visible()
        axe(page)
        shot(page, "provider-confirm-375-zh")
        page.get_by_label("本系统的密码").fill(PASSWORD)
        page.get_by_role("button", name="确认绑定").click()
        expect(page.get_by_text("已绑定皖事通统一身份认证的账号")).to_be_visible()
        axe(page)
        shot(page, "provider-connected-375-zh")
        other = open_page(width=DESK)
        other.goto(f"{base}/review")
        expect(other.get_by_label("登录名")).to_be_visible()
        by_password(other)
        expect(other.get_by_text("不能使用密码")).to_be_visible()
        shot(other, "provider-only-1440-zh")
        other.get_by_role("link", name="用皖事通统一身份认证登录").click()
        agreed(other)
        expect(other).to_have_url(f"{base}/review")
        expect(other.get_by_role("button", name="退出")).to_be_visible()
        other.goto(f"{base}/me/provider?lang=en")
        expect(other.get_by_text("An account at Wanshitong is connected.")).to_be_visible()
        shot(other, "provider-connected-1440-en")
        other.goto(f"{base}/login?lang=en")
        shot(other, "provider-login-1440-en")
        office(county, base, open_page(width=PHONE), axe, shot)


def office(county: LivingCounty, base: str, page: Page, axe: Check, shot: Shot) -> None:
    """An administrator names an officer's account, and takes it away again."""
    page.goto(f"{base}/officers/{county.officers['village']}")
    by_password(page, "admin")
    page.locator("summary", has_text="绑定统一身份账号").click()
    page.get_by_label("平台的账号标识（sub）").fill("4711")
    axe(page)
    shot(page, "provider-officer-375-zh")
    page.get_by_role("button", name="为“village”绑定统一身份账号").click()
    page.locator("summary", has_text="解除“village”的统一身份绑定").click()
    page.locator("#unbind-1-reason").fill("账号停用")
    shot(page, "provider-officer-bound-375-zh")
    page.get_by_role("button", name="解除“village”的统一身份绑定").click()
    expect(page.locator("summary", has_text="绑定统一身份账号")).to_be_visible()
