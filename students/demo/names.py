"""Invented names of people and places for the demo county."""

from random import Random

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
GIVEN = "秀英华文明丽平国建志永春红玉海燕晓雨欣怡梓涵子轩浩然诗琪佳宇航思远博雅静婷芳慧敏俊杰鑫磊强勇军峰鹏飞龙凤梅兰竹菊松柏林森泽源清波涛江河山川云雪霞虹晨曦月星辰光辉耀阳晴岚馨悦乐安宁康健福禄寿喜庆丰盛荣昌"
RARE = "㛃䶮𠮷堃喆赟翀淼"
DOTTED = {
    "1": ("叶尔江", "木拉提", "努尔兰", "买买提", "吐尔逊", "艾合买提"),
    "2": ("阿依古丽", "迪丽努尔", "古丽娜", "玛依拉", "热依汗", "阿依努尔"),
}
DOTTED_NATION = "维吾尔族"
TRADITIONAL = {
    "国": "國",
    "华": "華",
    "丽": "麗",
    "张": "張",
    "刘": "劉",
    "陈": "陳",
    "杨": "楊",
    "龙": "龍",
    "凤": "鳳",
    "兰": "蘭",
}
SOUNDS_LIKE = {"梓": "子", "轩": "宣", "涵": "含", "欣": "心", "佳": "嘉", "俊": "骏", "辰": "晨", "静": "婧"}
TOWNSHIPS = (
    "城关镇",
    "青石镇",
    "柳林镇",
    "白河镇",
    "大营镇",
    "双塘乡",
    "云岭乡",
    "石桥乡",
    "黄柏乡",
    "龙泉乡",
)
VILLAGES = (
    "东门", "北关", "松林", "石板", "云峰", "柳沟", "杨家湾", "白杨", "清水", "红岩", "大坪", "小河", "马鞍", "官庄", "桃园", "新民",
    "上坝", "下坝", "双龙", "青山", "长岭", "河口", "梨树", "高桥",
)  # fmt: skip
NATIONS = ("汉族",) * 16 + ("苗族", "土家族", "彝族", "回族")


def surname(random: Random) -> str:
    return random.choice(SURNAMES)


def given(random: Random) -> str:
    """One or two characters; now and then a rare one that banks and fonts stumble over."""
    if random.random() < 0.004:
        return random.choice(GIVEN) + random.choice(RARE)
    return "".join(random.choices(GIVEN, k=2 if random.random() < 0.75 else 1))


def dotted(random: Random, sex: str) -> str:
    """A name of two parts with the dot between them, as 维吾尔族 families write it."""
    return f"{random.choice(DOTTED[sex])}·{random.choice(DOTTED['1'])}"
