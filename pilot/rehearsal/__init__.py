"""The dress rehearsal: synthetic people through the production code, before anybody is invited.

`world` says what is assumed true, `answers` holds finished follow-ups of synthetic people, `passage` takes a whole
pilot through the database, `trials` repeats what chance decides, `run` spreads and keeps the work, `report` says what
came of it.
"""
