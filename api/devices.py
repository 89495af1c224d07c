"""What kind of device a session runs on, in words for its owner: enough to tell phone from desk."""

SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    ("MicroMessenger", "微信 WeChat"),
    ("DingTalk", "钉钉 DingTalk"),
    ("HuaweiBrowser", "Huawei"),
    ("MiuiBrowser", "Xiaomi"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
"""In this order: most name Chrome and Safari besides themselves."""


def device_of(agent: str) -> str:
    """For example "Android · Chrome"; empty for a program that does not say."""
    named = (_first(SYSTEMS, agent), _first(BROWSERS, agent))
    return " · ".join(one for one in named if one)


def _first(words: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for word, name in words if word in agent), "")
