"""What every test of the project shares: its fixtures, and the rule that nothing is skipped."""

import os

# Two workers on two cores: a linear algebra library with threads of its own would only make them wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = (
    "pytester",
    "nothing_skipped",
    "postgres_fixtures",
    "serving_fixtures",
    "browser_fixtures",
)
