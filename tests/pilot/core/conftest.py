"""The pilots that these tests are about."""

from pilot_fixtures import address, either_site, new_site, site

__all__ = ["address", "either_site", "new_site", "site"]
