"""Make sure the browser tests have Debian's Chromium and a Chinese font; install them where we may.

On a machine where that cannot be done the browser tests are skipped loudly; in CI (CI=true) this
fails instead.
"""

import os
import shutil
import subprocess
import sys

BROWSER = ("chromium", "chromium-browser")
PACKAGES = ["chromium", "fonts-noto-cjk"]


def have_browser() -> bool:
    return any(shutil.which(name) for name in BROWSER)


def main() -> None:
    if have_browser():
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        print("安装 Chromium · installing Chromium for the browser tests", flush=True)
        quiet = {"stdout": subprocess.DEVNULL}
        subprocess.run([apt, "update", "-qq"], check=False, **quiet)
        subprocess.run([apt, "install", "-y", "-qq", *PACKAGES], check=False, **quiet)
    if have_browser():
        return
    said = (
        "没有 Chromium：浏览器测试将被跳过。Chromium is missing: browser tests will be SKIPPED. "
        "Install it with: apt-get install " + " ".join(PACKAGES)
    )
    if os.environ.get("CI") == "true":
        sys.exit(said)
    print(said)


if __name__ == "__main__":
    main()
