"""One way of masking, everywhere: partial masks on different sites can be joined (domain.md §6)."""

STAR = "*"


def mask_name(name: str) -> str:
    """张三 → 张*, 张小三 → 张*三, 欧阳小三 → 欧**三; a name of one character is hidden whole."""
    plain = name.strip()
    if len(plain) < 2:
        return STAR * len(plain)
    if len(plain) == 2:
        return plain[0] + STAR
    return plain[0] + STAR * (len(plain) - 2) + plain[-1]


def mask_id(number: str) -> str:
    """First six and last four of an 18-character number; of anything else only the last two."""
    return _keep(number, 6, 4) if len(number) == 18 else _keep(number, 0, 2)


def mask_card(number: str) -> str:
    """The last four digits of a bank card or account."""
    return _keep(number, 0, 4)


def mask_phone(number: str) -> str:
    """First three and last two of a mobile number; of anything else only the last two."""
    return _keep(number, 3, 2) if len(number) == 11 else _keep(number, 0, 2)


def _keep(text: str, head: int, tail: int) -> str:
    """Head and tail around at least four hidden characters; else nothing is shown."""
    hidden = len(text) - head - tail
    if hidden < 4:
        return STAR * len(text)
    return text[:head] + STAR * hidden + text[len(text) - tail :]
