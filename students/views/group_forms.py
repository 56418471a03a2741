"""What schools and the bureau fill in about 学生群体 and 安置点."""

from django import forms

from bureau.access.models import Account
from bureau.forms import DateField, OfficeForm
from bureau.organisation.models import County, School, Township
from students.models import Group, GroupFact, RelocationSite


class GroupForm(OfficeForm):
    """One child, or those ticked: which group, since when, known from where."""

    group = forms.ChoiceField(label="群体", choices=Group.choices)
    since_on = DateField(label="自哪一天起")
    source = forms.ChoiceField(label="来源", choices=GroupFact.Source.choices)
    evidence = forms.CharField(
        label="依据",
        max_length=200,
        required=False,
        help_text="例如：9月5日家访，父母均在外务工，随祖父母生活",
    )
    site = forms.ModelChoiceField(
        label="安置点",
        queryset=RelocationSite.objects.none(),
        required=False,
        empty_label="——",
        help_text="只有易地搬迁子女填写。",
    )

    def __init__(self, *args, account: Account, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = RelocationSite.objects.filter(county__in=account.scope.counties)

    def clean(self):
        given = super().clean()
        if given.get("site") and given.get("group") != Group.RELOCATED:
            self.add_error("site", "只有易地搬迁子女填写安置点。")
        return given


class EndForm(OfficeForm):
    last_on = DateField(label="最后一天")
    reason = forms.CharField(label="依据", max_length=120, help_text="例如：父亲9月1日返乡，已家访核实")


class SiteForm(OfficeForm):
    name = forms.CharField(label="安置点", max_length=60)
    township = forms.ModelChoiceField(
        label="所在乡镇", queryset=Township.objects.none(), empty_label="请选择"
    )
    schools = forms.ModelMultipleChoiceField(
        label="就近学校", queryset=School.objects.none(), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选一所就近学校。"},
    )  # fmt: skip
    opened_on = DateField(label="入住日期", required=False)

    def __init__(self, *args, county: County, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["township"].queryset = Township.objects.filter(county=county)
        self.fields["schools"].queryset = School.objects.filter(county=county, closed_on=None)
