"""Texts for people in their languages, one catalogue a persona: `nl/LC_MESSAGES/advisor.po`; what they share stands in
`messages.po`. `python -m pilot.translations advisor` brings that catalogue up to date with the advisor's pages.

New texts stand in a catalogue without a translation until somebody writes one; a test names those that are left.
"""
