"""What an auditor types: a child's number, and the seal he keeps on paper."""

from django import forms

from bureau.audit.children import NotANumber, find_child
from bureau.audit.sealing import Head
from bureau.forms import OfficeForm


class FindChildForm(OfficeForm):
    """Sent by POST: a number never stands in an address. Cleaned, `number` is the set of children's keys."""

    number = forms.CharField(
        label="学生的身份证号或学籍号",
        max_length=40,
        help_text="输入完整号码，例如 G 开头的学籍号。号码只用来查找，不显示、不保存。",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args, counties, **kwargs):
        super().__init__(*args, **kwargs)
        self.counties = counties

    def clean_number(self):
        try:
            found = find_child(self.cleaned_data["number"], counties=self.counties)
        except NotANumber:
            raise forms.ValidationError("这不是完整、正确的身份证号或学籍号，请核对后重新输入。") from None
        if not found:
            raise forms.ValidationError("本县没有登记使用这个号码的学生，请核对号码，或换用另一种号码查找。")
        return found


class CheckForm(OfficeForm):
    """Cleaned, `paper` is a Head or None."""

    paper = forms.CharField(
        label="纸上留存的封条",
        required=False,
        max_length=200,
        help_text="上次抄下或打印的“编号:封条”，例如 1204:01a3…。填写后一并核对，日志被截断重写也能发现。",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_paper(self) -> Head | None:
        text = self.cleaned_data["paper"]
        try:
            return Head.parse(text) if text else None
        except ValueError:
            raise forms.ValidationError("封条应写成“编号:封条”，照纸上逐字抄写。") from None
