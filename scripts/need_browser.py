"""Make sure the browser tests have Debian's Chromium and a Chinese font; install them where we may.

The same Chromium comes in two builds. The one without windows (`chromium-headless-shell`) does the
same work for the pages with a third less processor, so it is taken where it is; the whole browser
is as good. On a machine where neither can be had the browser tests are skipped loudly; in CI
(CI=true) this fails instead.
"""

import os
import shutil
import subprocess
import sys

WITHOUT_WINDOWS = "chromium-headless-shell"
BROWSERS = (WITHOUT_WINDOWS, "chromium", "chromium-browser")
FONTS = "fonts-noto-cjk"
WAITS = [
    *("-o", "Acquire::Retries=0"),
    *("-o", "Acquire::http::Timeout=10"),
    *("-o", "APT::Update::Error-Mode=any"),
]
"""A machine without internet must not wait: it goes on with the browser that it has."""


def browser_path() -> str | None:
    """The browser that tests and pictures use; None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def install(apt: str) -> None:
    missing = [WITHOUT_WINDOWS] if browser_path() else [WITHOUT_WINDOWS, FONTS]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        call = [apt, *WAITS, "-qq", *step]
        failed = subprocess.run(call, check=False, stdout=subprocess.DEVNULL).returncode
        if failed and browser_path():
            return


def main() -> None:
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0 and not shutil.which(WITHOUT_WINDOWS):
        print("安装 Chromium · installing Chromium for the browser tests", flush=True)
        install(apt)
    if browser_path():
        return
    said = (
        "没有 Chromium：浏览器测试将被跳过。Chromium is missing: browser tests will be SKIPPED. "
        f"Install it with: apt-get install {WITHOUT_WINDOWS} {FONTS}"
    )
    if os.environ.get("CI") == "true":
        sys.exit(said)
    print(said)


if __name__ == "__main__":
    main()
