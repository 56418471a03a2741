from django.db import migrations

from bureau.audit import guards


class Migration(migrations.Migration):
    dependencies = [("bureau", "0001_initial")]
    operations = [migrations.RunPython(guards.forwards, guards.backwards)]
