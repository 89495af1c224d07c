"""What commands say on stderr is text, whatever it quotes."""

import pytest

from cli.saying import complain, failed


def test_brackets_in_a_reason_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """A closing bracket of nothing once raised, in place of what had gone wrong."""
    complain("停在[/red]", "KeyError: [/x] [bold]")
    assert capsys.readouterr().err == "停在[/red]\nKeyError: [/x] [bold]\n"


def test_each_language_is_one_line_and_the_code_is_the_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failed("长" * 200, "long " * 60, code=2).exit_code == 2
    assert len(capsys.readouterr().err.splitlines()) == 2
