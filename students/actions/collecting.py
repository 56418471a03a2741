"""上报安排: when rolls are sent in, locking what is finished, and opening it again for one school that asks."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from bureau import audit
from bureau.organisation.models import School
from students.actions.refusals import NotApplicable
from students.models import Collection, UnlockRequest


def save_collection(*, collection: Collection, values: dict[str, Any], by) -> Collection:
    """Declare or change a collection. Raises NotApplicable where the same one has been declared meanwhile."""
    for name, value in values.items():
        setattr(collection, name, value)
    try:
        with transaction.atomic():
            collection.save()
            detail = {"from": collection.opens_on, "to": collection.closes_on, "code": collection.kind}
            audit.record(by=by, verb="students.collection_saved", subject=collection, county=collection.county, detail=detail)
    except IntegrityError as error:
        raise NotApplicable("exists", "这个学期、类型、学段已经有上报安排，请修改原来的。") from error
    return collection


@transaction.atomic
def lock_collection(*, collection: Collection, by) -> bool:
    """From now on nothing of it is taken or applied; False when it was locked before."""
    held = Collection.objects.select_for_update().filter(pk=collection.pk, locked_at=None)
    if not held.update(locked_at=timezone.now(), locked_by=by):
        return False
    audit.record(by=by, verb="students.collection_locked", subject=collection, county=collection.county)
    collection.refresh_from_db()
    return True


@transaction.atomic
def unlock_collection(*, collection: Collection, by) -> bool:
    """Take uploads again from everybody; False when it was open."""
    held = Collection.objects.select_for_update().filter(pk=collection.pk).locked()
    if not held.update(locked_at=None, locked_by=None):
        return False
    audit.record(by=by, verb="students.collection_unlocked", subject=collection, county=collection.county)
    collection.refresh_from_db()
    return True


@transaction.atomic
def ask_to_unlock(*, collection: Collection, school: School, reason: str, by) -> UnlockRequest:
    """A school asks the bureau to take its roll after the lock. Raises NotApplicable when it need not or has asked."""
    held = Collection.objects.select_for_update().get(pk=collection.pk)
    if not held.is_locked:
        raise NotApplicable("not_locked", "这项上报没有锁定，可以直接上传。")
    if held.requests.waiting().filter(school=school).exists():
        raise NotApplicable("asked_already", f"{school}已经申请解锁，请等待县局答复。")
    asked = held.requests.create(school=school, reason=reason, asked_by=by)
    audit.record(by=by, verb="students.unlock_asked", subject=asked, county=held.county, detail={"place": school.code})
    return asked


@transaction.atomic
def answer_unlock(*, request: UnlockRequest, granted: bool, until_on: date | None, answer: str, by) -> UnlockRequest:
    """Open the collection for that school to the end of `until_on`, or refuse. Raises NotApplicable when answered before."""
    held = UnlockRequest.objects.select_for_update(of=["self"]).select_related("school", "collection__county").get(pk=request.pk)
    if held.granted is not None:
        raise NotApplicable("answered", "这份申请已经答复过了。")
    held.granted, held.until_on, held.answer = granted, until_on if granted else None, answer
    held.decided_by, held.decided_at = by, timezone.now()
    held.save()
    audit.record(
        by=by,
        verb="students.unlock_granted" if granted else "students.unlock_refused",
        subject=held,
        county=held.collection.county,
        detail={"place": held.school.code, "to": held.until_on},
    )
    return held
