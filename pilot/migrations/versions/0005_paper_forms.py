"""Paper forms, typed twice, and what was decided where the two differ

Revision: 0005, after: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    values = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), 'postgresql')
    op.create_table('paper_entries',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('participant_id', sa.Integer(), nullable=False),
    sa.Column('wave', sa.String(length=40), nullable=False),
    sa.Column('turn', sa.Integer(), nullable=False),
    sa.Column('instrument', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=5), nullable=False),
    sa.Column('typed', values, nullable=False),
    sa.Column('entered_by', sa.Integer(), nullable=False),
    sa.Column('entered_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['entered_by'], ['users.id'], name=op.f('fk_paper_entries_entered_by')),
    sa.ForeignKeyConstraint(['participant_id'], ['participants.id'], name=op.f('fk_paper_entries_participant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_entries')),
    sa.UniqueConstraint('participant_id', 'wave', 'turn', name=op.f('uq_paper_entries_participant_id_wave_turn'))
    )
    op.create_table('paper_decisions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('participant_id', sa.Integer(), nullable=False),
    sa.Column('wave', sa.String(length=40), nullable=False),
    sa.Column('question', sa.String(length=120), nullable=False),
    sa.Column('first', sa.Text(), nullable=False),
    sa.Column('second', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['decided_by'], ['users.id'], name=op.f('fk_paper_decisions_decided_by')),
    sa.ForeignKeyConstraint(['participant_id'], ['participants.id'], name=op.f('fk_paper_decisions_participant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_decisions')),
    sa.UniqueConstraint('participant_id', 'wave', 'question', name=op.f('uq_paper_decisions_participant_id_wave_question'))
    )


def downgrade() -> None:
    op.drop_table('paper_decisions')
    op.drop_table('paper_entries')
