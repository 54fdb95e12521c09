"""What every test of the project shares: its fixtures, and the rule that nothing is skipped."""

import os

from hypothesis import HealthCheck, settings

# The same examples each time, however slow the machine. `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile("same")

# Two workers on two cores: a linear algebra library with threads of its own would only make them wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = (
    "pytester",
    "nothing_skipped",
    "postgres_fixtures",
    "serving_fixtures",
    "browser_fixtures",
)
