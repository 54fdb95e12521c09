"""How each answer was given

Revision: 0012, after: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None
TABLES = ('drafts', 'submissions')


def upgrade() -> None:
    """Rows of before know only how their latest page was answered, which stays in `mode`."""
    values = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), 'postgresql')
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('modes', values, nullable=False, server_default='{}'))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column('modes', server_default=None)


def downgrade() -> None:
    for table in reversed(TABLES):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column('modes')
