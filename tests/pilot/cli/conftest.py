"""The pilots that these tests are about."""

from pilot_fixtures import new_site, site

__all__ = ["new_site", "site"]
