"""The pilot itself: the only package that knows the web and the database."""

__version__ = "0.1.0"
