"""Forms as this office draws them: Bootstrap's classes, date pickers, and words without Django's colon."""

from django import forms


class DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


class DateField(forms.DateField):
    """A date, typed or picked; 2026-9-1, 2026/9/1, 2026.9.1, 20260901 and 2026年9月1日 are understood."""

    widget = DateInput

    def __init__(self, **kwargs):
        formats = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"]
        super().__init__(input_formats=formats, **kwargs)


class OfficeForm(forms.Form):
    """Base of the forms drawn with `_field.html`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
                continue
            name = "form-select" if isinstance(widget, forms.Select) else "form-control"
            widget.attrs.setdefault("class", name)
