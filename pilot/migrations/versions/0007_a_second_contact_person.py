"""Somebody who knows where a participant is

Revision: 0007, after: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.add_column(sa.Column('second_name', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('second_phone', sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.drop_column('second_phone')
        batch_op.drop_column('second_name')
