"""Addresses for letters, and gift cards in several lists

Revision: 0011, after: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None
PARTS = ('street', 'house_number', 'addition', 'town')


def upgrade() -> None:
    with op.batch_alter_table('identities', schema=None) as batch_op:
        for part in PARTS:
            batch_op.add_column(sa.Column(part, sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('address_hash', sa.String(length=64), nullable=True))
    with op.batch_alter_table('gift_cards', schema=None) as batch_op:
        batch_op.add_column(sa.Column('drawer', sa.String(length=40), nullable=False, server_default=''))
    with op.batch_alter_table('gift_cards', schema=None) as batch_op:
        batch_op.alter_column('drawer', server_default=None, existing_type=sa.String(length=40), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table('gift_cards', schema=None) as batch_op:
        batch_op.drop_column('drawer')
    with op.batch_alter_table('identities', schema=None) as batch_op:
        batch_op.drop_column('address_hash')
        for part in reversed(PARTS):
            batch_op.drop_column(part)
