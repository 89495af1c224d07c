"""How a name may be looked for: normalized, and in the readings of its characters.

`terms` of a name are the texts under which the index holds it, `asked` turns what somebody typed
into beginnings of such texts. Both fold alike, so that a name is found however it was typed: with
another dot or none, with spaces, full-width, in traditional or variant characters.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product

TERMS = 2
"""Raise it whenever `terms` answers something else: indexes of older terms are built again."""

TEXT, PINYIN, INITIALS = "n", "p", "i"
"""The first letter of a term: what kind of text follows."""

END = "\U0010ffff"
"""Behind every text that begins alike: the end of a range of terms."""

MOST_READINGS = 16
LONGEST = 40
"""Characters of a name that the index holds; nobody types more to find it."""

DOTS = re.compile(r"[·•．.・‧∙⋅●｡。˙･]")
NOT_A_NAME = re.compile(r"[\W_]+")

_TRADITIONAL = (
    "張陳劉楊趙黃吳孫馬鄭馮韓鄧許蕭呂蘇盧蔣賈閻餘葉鐘鍾範譚鄒陸龍萬錢湯賴龔嚴賀歐陽喬顧關駱畢聶賓"
    "龐顏莊紀單婁甯蘭閔儲談鮑牆華賢書國慶東榮軍強偉傑麗艷豔紅蓮鳳鶯鵬飛雲電風雙劍銀鐵銘鎮鋒錦銳寶"
    "貴財發興業學習禮義愛葦蘊藝嬌嫻娛嬋婭瑩環瑤瓊瑪璽瑋雋聰聖聲職憲憐懷戀恆愷惲懸態達遠運進遼邁遙"
    "選連鄉鄰鄺寧寬實審憶應廣廬彥從後會來倫個億優儀僑們備傳傷價僅則剛創劇動務勞勝勢勳匯區協參變嘆"
    "嘯團圓園圖場壯壽夢奮奪媽嶽島峽嵐幹幾庫廟彌彎徑徹戰戲戶擁擇擔據擴攝數斷時曉暉暢曆曠曇棗楓樓樂"
    "樹橋機歡歲氣漢漣漸潔潤潛澤濤濱灣燁燈燦煥煒營犧獻獎獨瑣畫異當瘋療盡監盤睜碩礎祿禎稱種積穎穩窮"
    "競筆節簡糧約純紗紋納紐細紳紹終組結絕絡給統絲絹綠維綱網綺綿緒線緣編緯縣縱總績繼續纓羅聞聯聽肅"
    "脈腦臉臨舉舊艦艱芻荊莢萊藍蔭藥蘋處號蟬衛補裝裡製複見規視親覺觀觸計訂認討訓記訪設評詞試詩誠話"
    "詳語誤說誰課調請諒論諧諾謀謙講謝證識譜護讀讓讚豐貝貞負貢責賦質賽趕跡踐軒軟輕輝輪輯輸轉轟辦農"
    "邊醫釋針鈞鈴鉅銅鋼錄鍵鎖長門閃開閒間閣閩闊陰隊階隨險雜難離靈靜韋韻頁頂項順須領頭頻題額願類飄"
    "飯飲館馳騎騰驅驗驚體鬆魯鮮鯤鳥鳴鴻鵑鶴鷹麥黨齊齡"
)
_SIMPLIFIED = (
    "张陈刘杨赵黄吴孙马郑冯韩邓许萧吕苏卢蒋贾阎余叶钟钟范谭邹陆龙万钱汤赖龚严贺欧阳乔顾关骆毕聂宾"
    "庞颜庄纪单娄宁兰闵储谈鲍墙华贤书国庆东荣军强伟杰丽艳艳红莲凤莺鹏飞云电风双剑银铁铭镇锋锦锐宝"
    "贵财发兴业学习礼义爱苇蕴艺娇娴娱婵娅莹环瑶琼玛玺玮隽聪圣声职宪怜怀恋恒恺恽悬态达远运进辽迈遥"
    "选连乡邻邝宁宽实审忆应广庐彦从后会来伦个亿优仪侨们备传伤价仅则刚创剧动务劳胜势勋汇区协参变叹"
    "啸团圆园图场壮寿梦奋夺妈岳岛峡岚干几库庙弥弯径彻战戏户拥择担据扩摄数断时晓晖畅历旷昙枣枫楼乐"
    "树桥机欢岁气汉涟渐洁润潜泽涛滨湾烨灯灿焕炜营牺献奖独琐画异当疯疗尽监盘睁硕础禄祯称种积颖稳穷"
    "竞笔节简粮约纯纱纹纳纽细绅绍终组结绝络给统丝绢绿维纲网绮绵绪线缘编纬县纵总绩继续缨罗闻联听肃"
    "脉脑脸临举旧舰艰刍荆荚莱蓝荫药苹处号蝉卫补装里制复见规视亲觉观触计订认讨训记访设评词试诗诚话"
    "详语误说谁课调请谅论谐诺谋谦讲谢证识谱护读让赞丰贝贞负贡责赋质赛赶迹践轩软轻辉轮辑输转轰办农"
    "边医释针钧铃巨铜钢录键锁长门闪开闲间阁闽阔阴队阶随险杂难离灵静韦韵页顶项顺须领头频题额愿类飘"
    "饭饮馆驰骑腾驱验惊体松鲁鲜鲲鸟鸣鸿鹃鹤鹰麦党齐龄"
)
_VARIANT, _USUAL = (
    "喆堃髙邨濬峯羣勅煊昇陞瀞寳啓啟叡凃塗叅佈晧皞螎",
    "哲坤高村浚峰群敕煊升升静宝启启睿涂涂参布皓皓融",
)
assert len(_TRADITIONAL) == len(_SIMPLIFIED) and len(_VARIANT) == len(_USUAL)
FOLDED = str.maketrans(_TRADITIONAL + _VARIANT, _SIMPLIFIED + _USUAL)
"""Characters that are one in names, to the form that registers use most."""


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


SURNAMES = _pairs(
    "单 shan 查 zha 曾 zeng 解 xie 仇 qiu 朴 piao 区 ou 翟 zhai 乐 yue 覃 qin 盖 ge 缪 miao 员 yun "
    "种 chong 召 shao 折 she 繁 po 宓 fu 洗 xian 黑 he 牟 mu 都 du 秘 bi 祭 zhai 隗 wei 能 nai 郇 "
    "xun 乜 nie 重 chong 句 gou 柏 bo 么 yao 佴 nai 尉 yu 万 mo 澹 tan 粘 nian 厘 xi 阚 kan "
    "卜 bu 扎 za "
)
"""Readings as a surname that differ from what a character is read as elsewhere, or might."""

GIVEN = _pairs(
    "乐 yue 长 chang 重 chong 朝 zhao 盛 cheng 晟 sheng 娜 nuo 莘 xin 传 zhuan 曾 zeng 柏 bo 调 "
    "tiao 还 huan 参 shen "
    "卜 bu 扎 za 卡 qia 伽 ga 给 gei 提 di 茜 xi 降 xiang 觉 jiao 夏 sha 贾 gu 落 luo 奇 ji "
)
"""A second reading that is usual in given names."""


def normalized(text: str) -> str:
    """A text as names are compared: folded, without dots, spaces, signs and case.

    Half- and full-width letters are one; so are 張 and 张.
    """
    plain = DOTS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return NOT_A_NAME.sub("", plain.replace("u:", "v").replace("ü", "v")).translate(FOLDED)


def _parts(name: str) -> list[str]:
    """买买提 of 阿依古丽·买买提 is looked for by itself too."""
    parts = DOTS.split(unicodedata.normalize("NFKC", name))
    return [found for part in parts if (found := normalized(part))]


@lru_cache(maxsize=8192)
def _common(character: str) -> str:
    from pypinyin import Style, lazy_pinyin  # its dictionary takes a third of a second to load

    return NOT_A_NAME.sub("", lazy_pinyin(character, style=Style.NORMAL)[0].lower())


@lru_cache(maxsize=8192)
def _readings(character: str, *, first: bool) -> tuple[str, ...]:
    """What a character is read as, as a surname or in a given name; the common one too."""
    common = _common(character)
    known = (SURNAMES if first else GIVEN).get(character)
    found = [common] if known is None else [known, common]
    for spelled in tuple(found):
        if spelled in ("lv", "nv"):  # lü: typed as lv, and printed in passports as lyu
            found += [f"{spelled[0]}yu", f"{spelled[0]}u"]
    return tuple(dict.fromkeys(found))


def _spelled(text: str) -> Iterator[str]:
    """The texts in pinyin and initials under which a (part of a) name is held."""
    each = [_readings(c, first=n == 0) for n, c in enumerate(text)]
    for readings in islice(product(*each), MOST_READINGS):
        yield PINYIN + "".join(readings)
        yield INITIALS + "".join(reading[:1] for reading in readings)


def terms(name: str) -> frozenset[str]:
    """Under which texts a name is held: each of its ends (so that a part is found by how it
    begins), its readings in pinyin, and their initials."""
    parts = _parts(name)
    whole = "".join(parts)[:LONGEST]
    found = {TEXT + whole[start:] for start in range(len(whole))}
    for start in range(len(parts)):
        found.update(_spelled("".join(parts[start:])[:LONGEST]))
    return frozenset(found)


def asked(text: str) -> tuple[str, ...]:
    """What a search looks for: beginnings of terms. Empty: nothing that could be a name."""
    plain = normalized(text)[:LONGEST]
    if not plain:
        return ()
    kinds = (TEXT, PINYIN, INITIALS) if plain.isascii() else (TEXT,)
    return tuple(kind + plain for kind in kinds)
