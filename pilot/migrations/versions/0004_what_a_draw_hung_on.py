"""What the chances of a draw hung on, and the evidence that a look gave

Revision: 0004, after: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), 'postgresql')


def upgrade() -> None:
    with op.batch_alter_table('allocations') as table:
        table.add_column(sa.Column('basis', _JSON, nullable=True))
        table.alter_column('probability', existing_type=sa.String(length=40), type_=sa.Text(), existing_nullable=False)
    with op.batch_alter_table('looks') as table:
        table.add_column(sa.Column('evidence', _JSON, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('looks') as table:
        table.drop_column('evidence')
    with op.batch_alter_table('allocations') as table:
        table.alter_column('probability', existing_type=sa.Text(), type_=sa.String(length=40), existing_nullable=False)
        table.drop_column('basis')
