"""PostgreSQL refuses to change or delete what may only be added: a second line behind the sealed chain.

For migrations: `RunPython(guards.forwards, guards.backwards)`; other apps call `protect` and `release` for their own
tables. SQLite has no second line; there the chain of seals finds what was changed.
"""

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# table -> columns that may be filled in once
APPEND_ONLY: dict[str, Sequence[str]] = {
    "bureau_auditevent": ("seal_no", "seal"),
    "bureau_accesslog": (),
    "bureau_accesslogchild": (),
    "bureau_transition": (),
}

FUNCTION = """
CREATE OR REPLACE FUNCTION bureau_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS > 0
       AND to_jsonb(OLD) - TG_ARGV::text[] = to_jsonb(NEW) - TG_ARGV::text[]
       AND NOT EXISTS (SELECT FROM unnest(TG_ARGV::text[]) AS c WHERE to_jsonb(OLD) -> c <> 'null'::jsonb)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$
"""


def row_guard(table: str, once: Sequence[str]) -> str:
    args = ", ".join(f"'{column}'" for column in once)
    return (
        f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION bureau_append_only({args})"
    )


def truncate_guard(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION bureau_append_only()"
    )


def protect(editor: BaseDatabaseSchemaEditor, table: str, once: Sequence[str] = ()) -> None:
    """Forbid UPDATE (but filling `once` columns that are empty), DELETE and TRUNCATE."""
    if editor.connection.vendor != "postgresql":
        return
    editor.execute(FUNCTION, None)
    editor.execute(row_guard(table, once), None)
    if not str(editor.connection.settings_dict["NAME"]).startswith(
        "test_"
    ):  # Django empties those by TRUNCATE
        editor.execute(truncate_guard(table), None)


def release(editor: BaseDatabaseSchemaEditor, table: str) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(f"DROP TRIGGER IF EXISTS {table}_rows ON {table}")
        editor.execute(f"DROP TRIGGER IF EXISTS {table}_truncate ON {table}")


def forwards(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for table, once in APPEND_ONLY.items():
        protect(schema_editor, table, once)


def backwards(apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for table in APPEND_ONLY:
        release(schema_editor, table)
