"""How a family member is related to a child, in the one word for it whatever the file writes."""

import re

from bureau.sheets.cells import compact, tidy
from bureau.sheets.kinds import Kind

# GB/T 4761 codes beside the words; only those that name one kind of relation.
_WORDS = {
    "父亲": ("父", "爸爸", "爸", "生父", "父子", "父女", "51"),
    "母亲": ("母", "妈妈", "妈", "生母", "母子", "母女", "52"),
    "继父": ("后爸",),
    "继母": ("后妈",),
    "养父": (),
    "养母": (),
    "祖父": ("爷爷", "爷", "61"),
    "祖母": ("奶奶", "奶", "62"),
    "外祖父": ("外公", "姥爷", "外爷", "63"),
    "外祖母": ("外婆", "姥姥", "外奶", "64"),
    "兄": ("哥", "哥哥", "兄长", "71"),
    "姐": ("姐姐", "75"),
    "弟": ("弟弟", "73"),
    "妹": ("妹妹", "77"),
    "伯父": ("伯伯", "大伯", "81"),
    "伯母": ("82",),
    "叔父": ("叔叔", "叔", "83"),
    "婶母": ("婶婶", "84"),
    "舅父": ("舅舅", "舅", "85"),
    "舅母": ("86",),
    "姑母": ("姑姑", "姑", "90"),
    "姨母": ("姨妈", "姨", "88"),
}
PARENTS = ("父亲", "母亲", "养父", "养母", "继父", "继母")
_CANONICAL = {word: told for told, words in _WORDS.items() for word in (told, *words)}


class Relation(Kind):
    """与学生关系: 爸爸, 之父, 51-父亲 are all 父亲; a word not known here is kept as it is, up to twenty characters."""

    max_length = 30
    options = ("父亲", "母亲", "祖父", "祖母", "外祖父", "外祖母", "兄", "姐", "其他亲属", "非亲属")

    def read(self, text, moment):
        plain = compact(text).removeprefix("之")
        bare = re.sub(r"^\d{2}[-:、.]?(?=\D)", "", plain)
        return _CANONICAL.get(bare) or tidy(text)[:20]
