"""Talking about a 待核实问题 and hanging proof on it."""

from pathlib import Path

from django.db import transaction
from django.utils import timezone

from bureau import audit
from bureau.keys import uuid7
from bureau.scans import NotTaken, Scan, cleaned
from students.actions import files
from students.models import Attachment, Comment, Discrepancy

MOST_FILES = 20  # in force, on one question
MOST_CHARACTERS = 500


@transaction.atomic
def comment(*, discrepancy: Discrepancy, text: str, by) -> Comment:
    """Say something about a difference, settled or not. The same words twice in a row are one comment."""
    text = text.strip()
    if not text:
        raise NotTaken("text_required", "请写留言。")
    if len(text) > MOST_CHARACTERS:
        raise NotTaken("too_long", f"留言不能超过 {MOST_CHARACTERS} 字。")
    locked = Discrepancy.objects.select_for_update(of=["self"]).get(pk=discrepancy.pk)
    last = locked.comments.order_by("-pk").first()
    if last and (last.by_id, last.text, last.occurrence) == (by.pk, text, locked.occurrence):
        return last
    said = locked.comments.create(occurrence=locked.occurrence, text=text, by=by)
    audit.record(by=by, verb="students.question_commented", subject=locked, county=locked.county)
    return said


def attach(*, discrepancy: Discrepancy, path: Path, file_name: str, by) -> Attachment:
    """Keep a scan or photograph with a difference, sealed. The same file twice is one attachment. Raises NotTaken."""
    with cleaned(path) as scan:
        return _keep(discrepancy, scan, sha256=files.sha256_of(path), file_name=file_name, by=by)


@transaction.atomic
def _keep(discrepancy: Discrepancy, scan: Scan, *, sha256: str, file_name: str, by) -> Attachment:
    locked = Discrepancy.objects.select_for_update(of=["self"]).get(pk=discrepancy.pk)
    standing = locked.attachments.filter(withdrawn_at=None)
    if known := standing.filter(sha256=sha256).first():
        return known
    if standing.count() >= MOST_FILES:
        raise NotTaken("too_many", f"一件问题最多 {MOST_FILES} 个附件，请合并成一个 PDF。")
    kept = Attachment(
        id=uuid7(), discrepancy=locked, occurrence=locked.occurrence, file_name=files.display_name(file_name),
        kind=scan.kind, size=scan.size, sha256=sha256, by=by,
    )  # fmt: skip
    kept.save(force_insert=True)
    files.keep_file(scan.path, value_id=kept.pk)
    audit.record(by=by, verb="students.question_attached", subject=locked, county=locked.county)
    return kept


@transaction.atomic
def content_of(*, attachment: Attachment, by) -> bytes:
    """The file, for somebody who takes a copy: the audit keeps who did."""
    if attachment.withdrawn_at:
        raise NotTaken("withdrawn", "这个附件已经撤回。")
    subject = attachment.discrepancy
    audit.record(by=by, verb="students.attachment_downloaded", subject=subject, county=subject.county)
    with files.opened_file(value_id=attachment.pk, file_name=attachment.file_name) as path:
        return path.read_bytes()


@transaction.atomic
def withdraw(*, attachment: Attachment, by) -> bool:
    """Take back a file hung on the wrong question; False when it was taken back before. Only who sent it may.

    The row stays; the file is removed once that is committed.
    """
    if attachment.by_id != by.pk:
        raise NotTaken("not_yours", "只能撤回自己上传的附件。")
    mine = Attachment.objects.filter(pk=attachment.pk, withdrawn_at=None)
    if not mine.update(withdrawn_at=timezone.now(), withdrawn_by=by):
        return False
    subject = attachment.discrepancy
    audit.record(by=by, verb="students.attachment_withdrawn", subject=subject, county=subject.county)
    transaction.on_commit(lambda: files.remove_file(value_id=attachment.pk))
    return True
