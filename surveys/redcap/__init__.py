"""REDCap data dictionaries: reading one as an instrument, writing an instrument as one.

What cannot be carried over is never dropped in silence: reading and writing both give findings.
"""

from surveys.redcap.read import read_redcap
from surveys.redcap.write import Exported, write_redcap

__all__ = ["Exported", "read_redcap", "write_redcap"]
