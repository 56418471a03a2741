"""Database functions Django lacks, written once for both databases."""

from django.db.models import CharField, Func


class Hex(Func):
    """The lower-case hexadecimal text of a binary column."""

    output_field = CharField()

    def as_sqlite(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="lower(hex(%(expressions)s))", **context)

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="encode(%(expressions)s, 'hex')", **context)
