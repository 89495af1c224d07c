"""A name is found however it is typed: by any part, in every reading, with any dot or none."""

import pytest

from eventstore.spelling import END, asked, normalized, terms


def found(name: str, text: str) -> bool:
    """As the index answers it: some term of the name begins with something asked for."""
    return any(a <= term < a + END for a in asked(text) for term in terms(name))


@pytest.mark.parametrize("dot", ["·", "•", "．", ".", "・", "‧", "∙", "", " ", "　", " · "])
def test_a_dotted_name_is_found_with_any_dot_or_none(dot: str) -> None:
    for held in ("阿依古丽·买买提", "阿依古丽•买买提", "阿依古丽．买买提", "阿依古丽买买提"):
        assert found(held, f"阿依古丽{dot}买买提")
        assert found(held, f"古丽{dot}买买")
    assert found(f"阿依古丽{dot or '·'}买买提", "ayigulimaimaiti")
    assert found("阿依古丽·买买提", "maimaiti"), "the part behind the dot too"


@pytest.mark.parametrize("held", ["张三", "张　三", "张 三", " 张三 ", "張三", "张\u200b三"])
@pytest.mark.parametrize(
    "typed", ["张三", "张　三", "張三", "三", "张", "zhangsan", "ＺＨＡＮＧ ｓａｎ", "zs"]
)
def test_spaces_width_and_variants_do_not_matter(held: str, typed: str) -> None:
    assert found(held, typed)


@pytest.mark.parametrize(
    ("name", "readings"),
    [
        ("单雄信", "shanxiongxin danxiongxin sxx dxx"),
        ("查良镛", "zhaliangyong chaliangyong zly cly"),
        ("曾国藩", "zengguofan cengguofan"),
        ("解缙", "xiejin jiejin"),
        ("仇英", "qiuying chouying"),
        ("朴正熙", "piaozhengxi puzhengxi"),
        ("区寄", "ouji quji"),
        ("尉迟恭", "yuchigong weichigong"),
        ("长孙无忌", "zhangsunwuji"),
        ("吕布", "lvbu lyubu lubu lübu"),
        ("张乐", "zhangle zhangyue"),
        ("阿卜杜拉", "abudula abodula abdl"),
        ("买买提·阿卜杜拉", "maimaitiabudula abudula abodula"),
        ("卜算子", "busuanzi bosuanzi"),
        ("扎西", "zhaxi zaxi"),
        ("古丽扎尔", "gulizhaer gulizaer"),
        ("艾提卡尔", "aitikaer"),
    ],
)
def test_a_surname_is_found_as_it_is_read_as_one_and_as_it_is_read_elsewhere(
    name: str, readings: str
) -> None:
    for reading in readings.split():
        assert found(name, reading), reading


@pytest.mark.parametrize("typed", ["", " ", "%", "_", "'; --", "\\", "·", "　"])
def test_what_is_no_text_asks_for_nobody(typed: str) -> None:
    assert asked(typed) == ()


@pytest.mark.parametrize("typed", ["王", "cuihua", "yang", "花翠", "ouc"])
def test_what_is_not_in_the_name_does_not_find_it(typed: str) -> None:
    assert not found("欧阳翠花", typed)


def test_one_character_and_two_are_enough() -> None:
    for typed in ("欧", "阳", "翠", "花", "欧阳", "翠花", "o", "oy"):
        assert found("欧阳翠花", typed)


def test_an_endless_name_has_few_terms() -> None:
    assert len(terms("乐" * 500)) < 100


def test_folding_twice_changes_nothing() -> None:
    for text in ("張　三", "Ａ·b", "喆", "ǕU:x"):
        assert normalized(normalized(text)) == normalized(text)
