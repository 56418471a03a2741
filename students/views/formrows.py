"""Which children go into a form: those its asker may see, as the filters of the students' list leave them."""

from collections.abc import Mapping

from django.db.models import QuerySet
from django.http import QueryDict

from bureau.access.models import Account
from students.models import Student
from students.views.student_list import Children

FILTERS = ("township", "school", "grade", "hardship", "presence")


def listing_for(account: Account, filters: Mapping[str, str]) -> Children:
    """The list of students as it would be exported by this account."""
    acting = Account.objects.select_related("county").get(pk=account.pk)
    acting.acting_right = "figures.export"
    params = QueryDict(mutable=True)
    params.update({key: value for key, value in filters.items() if key in FILTERS})
    return Children(Student.objects.visible_to(acting), params, account=acting)


def rows_for(account: Account, filters: Mapping[str, str]) -> QuerySet[Student]:
    return listing_for(account, filters).sorted
