"""National code sets, and how people write their values in spreadsheets. An unknown text gives None, never a guess."""

from bureau.identity.characters import plain_number

# GB/T 2261.1
SEX = {"0": "未知", "1": "男", "2": "女", "9": "未说明"}

# GB/T 3304
ETHNIC = dict(
    entry.split(":")
    for entry in (
        "01:汉族 02:蒙古族 03:回族 04:藏族 05:维吾尔族 06:苗族 07:彝族 08:壮族 09:布依族 10:朝鲜族 11:满族 12:侗族 "
        "13:瑶族 14:白族 15:土家族 16:哈尼族 17:哈萨克族 18:傣族 19:黎族 20:傈僳族 21:佤族 22:畲族 23:高山族 "
        "24:拉祜族 25:水族 26:东乡族 27:纳西族 28:景颇族 29:柯尔克孜族 30:土族 31:达斡尔族 32:仫佬族 33:羌族 "
        "34:布朗族 35:撒拉族 36:毛南族 37:仡佬族 38:锡伯族 39:阿昌族 40:普米族 41:塔吉克族 42:怒族 43:乌孜别克族 "
        "44:俄罗斯族 45:鄂温克族 46:德昂族 47:保安族 48:裕固族 49:京族 50:塔塔尔族 51:独龙族 52:鄂伦春族 53:赫哲族 "
        "54:门巴族 55:珞巴族 56:基诺族 97:其他 98:外国血统中国籍"
    ).split()
)

# GB/T 4761-2008
KINSHIP = dict(
    entry.split(":")
    for entry in (
        "01:本人 02:户主 10:配偶 11:夫 12:妻 20:子 21:独生子 22:长子 23:次子 24:三子 25:四子 26:五子 27:养子或继子 "
        "28:女婿 29:其他儿子 30:女 31:独生女 32:长女 33:次女 34:三女 35:四女 36:五女 37:养女或继女 38:儿媳 39:其他女儿 "
        "40:孙辈 41:孙子 42:孙女 43:外孙子 44:外孙女 45:孙媳 46:孙女婿 47:曾孙子 48:曾孙女 49:其他孙辈 50:父母 51:父 "
        "52:母 53:公公 54:婆婆 55:岳父 56:岳母 57:继父或养父 58:继母或养母 60:祖辈 61:祖父 62:祖母 63:外祖父 "
        "64:外祖母 66:曾祖父 67:曾祖母 70:兄弟姐妹 71:兄 72:嫂 73:弟 74:弟媳 75:姐 76:姐夫 77:妹 78:妹夫 80:其他 "
        "81:伯父 82:伯母 83:叔父 84:婶母 85:舅父 86:舅母 87:姨父 88:姨母 89:姑父 90:姑母 93:侄子 94:侄女 95:外甥 "
        "96:外甥女 97:其他亲属 99:非亲属"
    ).split()
)

# One character: the codes of the 学籍 form. Two letters: papers for which that form has no code of its own.
DOCUMENT_KINDS = {
    "1": "居民身份证",
    "2": "户口簿",
    "6": "香港特区护照/身份证明",
    "7": "澳门特区护照/身份证明",
    "8": "台湾居民来往大陆通行证",
    "9": "境外永久居住证",
    "A": "护照",
    "Z": "其他",
    "RP": "港澳台居民居住证",
    "HM": "港澳居民来往内地通行证",
    "FP": "外国人永久居留身份证",
    "BC": "出生医学证明",
}

_SEX_WORDS = {
    "1": "男性 男生 男孩 男童 M MALE ♂",
    "2": "女性 女生 女孩 女童 F FEMALE ♀",
    "0": "未知的性别",
    "9": "未说明的性别",
}
_ETHNIC_WORDS = {
    "02": "蒙",
    "05": "维",
    "20": "僳僳 栗僳 傈粟",
    "29": "克尔克孜",
    "36": "毛难",
    "43": "乌兹别克",
    "46": "崩龙",
    "97": "其它 未识别 未识别民族 未定族称 未定族称人口 穿青 穿青人 革家人 僜人 夏尔巴人",
    "98": "外国血统 入籍 外国血统中国籍人士",
}
_KINSHIP_WORDS = {
    "01": "自己",
    "10": "夫妻 爱人",
    "11": "丈夫 老公",
    "12": "妻子 老婆",
    "20": "儿子",
    "22": "大儿子 长男",
    "23": "二子 二儿子 次男",
    "24": "三儿子",
    "27": "养子 继子 养子/继子",
    "28": "之婿",
    "30": "女儿",
    "32": "大女儿 大女",
    "33": "二女 二女儿",
    "34": "三女儿",
    "37": "养女 继女 养女/继女",
    "38": "媳 儿媳妇",
    "40": "孙子女 孙子、孙女",
    "41": "孙",
    "43": "外孙",
    "45": "孙媳妇",
    "47": "曾孙",
    "50": "父亲母亲 双亲",
    "51": "父亲 爸爸 爸 生父",
    "52": "母亲 妈妈 妈 生母",
    "57": "继父 养父 继父/养父",
    "58": "继母 养母 继母/养母",
    "60": "祖父母 祖父母或外祖父母",
    "61": "爷爷 爷",
    "62": "奶奶 奶",
    "63": "外公 姥爷 外爷",
    "64": "外婆 姥姥 姥娘",
    "70": "兄弟姊妹 姊妹 姐妹 兄妹 姐弟 兄弟",
    "71": "哥哥 哥 兄长",
    "72": "嫂子 嫂嫂",
    "73": "弟弟",
    "74": "弟媳妇 弟妹",
    "75": "姐姐 姊",
    "77": "妹妹",
    "81": "伯伯 大伯 伯",
    "83": "叔叔 叔",
    "84": "婶婶 婶子 婶",
    "85": "舅舅 舅",
    "86": "舅妈",
    "87": "姨夫",
    "88": "姨妈 姨",
    "89": "姑夫",
    "90": "姑姑 姑妈 姑",
    "93": "侄儿 侄",
    "95": "外甥子",
    "97": "其他 其它 其他亲戚 亲戚 亲属",
    "99": "非亲属关系 无亲属关系",
}
_DOCUMENT_WORDS = {
    "1": "身份证 居民身份证号 公民身份证 二代身份证 第二代居民身份证",
    "2": "户口薄 户口本",
    "6": "香港特区护照 香港身份证明 香港特别行政区护照/身份证明",
    "7": "澳门特区护照 澳门身份证明 澳门特别行政区护照/身份证明",
    "8": "台胞证 台湾居民来往大陆通行证(台胞证)",
    "9": "境外永久居留证",
    "Z": "其它 其他证件",
    "RP": "港澳居民居住证 台湾居民居住证 港澳台居住证 居住证 香港居民居住证 澳门居民居住证",
    "HM": "回乡证 港澳通行证 港澳居民往来内地通行证",
    "FP": "外国人永久居留证 外国人居留证 五星卡",
    "BC": "出生证 出生证明 医学出生证明",
}
_YES = frozenset("是 有 对 Y YES T TRUE 1 √ ✓ ✔ ☑ 是的".split())
_NO = frozenset("否 无 没有 不是 N NO F FALSE 0 × ✗ ✘ ✕ 非".split())


def _reader(names: dict[str, str], words: dict[str, str]) -> dict[str, str]:
    table = {plain_number(name): code for code, name in names.items()}
    for code, written in words.items():
        table |= {plain_number(word): code for word in written.split()}
    return table | {code: code for code in names}


_SEX = _reader(SEX, _SEX_WORDS)
_ETHNIC = _reader(ETHNIC, _ETHNIC_WORDS)
_KINSHIP = _reader(KINSHIP, _KINSHIP_WORDS)
_DOCUMENT = _reader(DOCUMENT_KINDS, _DOCUMENT_WORDS)


def _look_up(table: dict[str, str], text: str) -> str | None:
    """The code of a word, a code, or both joined as in “1-男”; None where they disagree or are unknown."""
    text = plain_number(text)
    if (code := table.get(text)) is not None:
        return code
    for sign in "-—_.、:":
        left, found, right = text.partition(sign)
        if found and left and table.get(left) is not None and table.get(left) == table.get(right):
            return table[left]
    return None


def parse_sex(text: str) -> str | None:
    """A GB/T 2261.1 code from 男, 女, 1, 2, M, F, ♂, ♀ or “1-男”."""
    return _look_up(_SEX, text)


def parse_ethnicity(text: str) -> str | None:
    """A GB/T 3304 code from 汉, 汉族, 汉族人, 01, 1 or “01-汉族”; retired names give the code of today."""
    if code := _look_up(_ETHNIC, text):
        return code
    plain = plain_number(text)
    bare = plain.removesuffix("人").removesuffix("族")
    if bare.isascii() and bare.isdigit():
        return _ETHNIC.get(bare.zfill(2))
    return _ETHNIC.get(bare + "族") or _ETHNIC.get(bare)


def parse_kinship(text: str) -> str | None:
    """A GB/T 4761 code from what lists write (户主, 之子, 父亲, 爷爷, 51). 其他 is read as 其他亲属."""
    return _look_up(_KINSHIP, text) or _look_up(_KINSHIP, plain_number(text).removeprefix("之"))


def parse_document_kind(text: str) -> str | None:
    """A code of DOCUMENT_KINDS from its name, a short name or the code."""
    return _look_up(_DOCUMENT, text)


def parse_yes_no(text: str) -> bool | None:
    """是, 有, √, 1 and the like are True; 否, 无, ×, 0 are False; a blank is None, which is not 否."""
    text = plain_number(text)
    if text in _YES:
        return True
    return False if text in _NO else None
