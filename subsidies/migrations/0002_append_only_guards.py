from django.db import migrations

from bureau.audit import guards

# An entry is never changed; of its transaction nothing is either.
TABLES = ("subsidies_ledgerentry", "subsidies_ledgertransaction")


def protect(apps, schema_editor):
    for table in TABLES:
        guards.protect(schema_editor, table)


def release(apps, schema_editor):
    for table in TABLES:
        guards.release(schema_editor, table)


class Migration(migrations.Migration):
    dependencies = [("subsidies", "0001_initial")]
    operations = [migrations.RunPython(protect, release)]
