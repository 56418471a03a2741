"""What can be wrong with an identifier or a name: a code for programs, a sentence for the clerk."""

TITLES = {
    "id_numeric_cell": "身份证号被存为数字",
    "id_placeholder": "占位号码",
    "id_characters": "身份证号含非法字符",
    "id_length": "身份证号位数不对",
    "id_birth_date": "身份证号中的出生日期不存在",
    "id_checksum": "身份证号校验位不符",
    "number_characters": "学籍号含非法字符",
    "number_length": "学籍号位数不对",
    "certificate_characters": "残疾人证号含非法字符",
    "certificate_length": "残疾人证号位数不对",
    "certificate_holder": "残疾人证号前18位不是有效的身份证号",
    "certificate_class": "残疾人证号中的类别或等级不存在",
    "account_characters": "账号含非法字符",
    "account_length": "账号位数不对",
    "phone_format": "电话号码格式不对",
    "document_format": "证件号码格式不对",
    "name_characters": "姓名含不允许的字符",
}


class Fault(ValueError):
    """A value that cannot be accepted. `message` is shown to the clerk and never contains the value itself."""

    def __init__(self, code: str, message: str | None = None):
        self.code = code
        self.message = message or TITLES[code]
        super().__init__(self.message)

    def __reduce__(self) -> tuple:
        return type(self), (self.code, self.message)
