"""Figures, tables, sentences and reports of a pilot: values in, pages out. It knows neither the web nor the database.

Each figure is a module with a function of the same name that gives a `Figure`; `dashboards.page` orders figures into
pages, `dashboards.report` writes the results of a plan into files.
"""
