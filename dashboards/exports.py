"""Tables for other programmes: HTML, LaTeX and a workbook, with the same cells in the same order.

A cell of text that begins with = + - or @ is a formula to a spreadsheet; here every text is written as text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import datetime

from dashboards.errors import ReportError
from dashboards.figure import Cell, Number, Table

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": r"$-$", "–": "--", "∞": r"$\infty$", "±": r"$\pm$",
    "€": r"\texteuro{}", "<": r"\textless{}", ">": r"\textgreater{}", "\N{NO-BREAK SPACE}": "~", "\n": " ",
}  # fmt: skip
"""Characters that LaTeX would read as commands, or that its fonts may lack."""

SHEET_NAME = 31
"""Characters that a workbook allows in the name of a sheet."""


def latex_text(text: str) -> str:
    """A text that LaTeX prints as it stands.

    >>> latex_text("50% & more_{−1}")
    '50\\\\% \\\\& more\\\\_\\\\{$-$1\\\\}'
    """
    return "".join(LATEX.get(sign, sign) for sign in text)


def latex_table(table: Table, label: str) -> str:
    """A table for LaTeX with the package booktabs; columns of numbers are set flush right.

    >>> print(latex_table(Table(("Arm", "n"), (("Portal", Number("12", 12)),), "People"), "people"))
    % needs \\usepackage{booktabs,textcomp}
    \\begin{table}
      \\caption{People}
      \\label{tab:people}
      \\begin{tabular}{lr}
        \\toprule
        Arm & n \\\\
        \\midrule
        Portal & 12 \\\\
        \\bottomrule
      \\end{tabular}
    \\end{table}
    <BLANKLINE>
    """
    lines = [
        r"% needs \usepackage{booktabs,textcomp}",
        r"\begin{table}",
        rf"  \caption{{{latex_text(table.caption)}}}",
        rf"  \label{{tab:{label}}}",
        rf"  \begin{{tabular}}{{{''.join('r' if n else 'l' for n in table.numeric)}}}",
        r"    \toprule",
        _latex_row(table.columns),
        r"    \midrule",
        *(_latex_row(row) for row in table.rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _latex_row(cells: tuple[Cell, ...]) -> str:
    return "    " + " & ".join(latex_text(str(cell)) for cell in cells) + r" \\"


def workbook(tables: Mapping[str, Table], *, created: datetime) -> bytes:
    """A workbook with a sheet a table: numbers as numbers, everything else as text. `created` is stored in the file.

    Raises `ReportError` without tables.
    """
    import xlsxwriter

    if not tables:
        raise ReportError("there is no table to put into a workbook", remedy="Give at least one.")
    out = io.BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, plain)
    book.set_properties({"created": created.replace(tzinfo=None)})
    bold = book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"})
    for name, title in sheet_names(tables).items():
        table = tables[name]
        sheet = book.add_worksheet(title)
        sheet.write_string(0, 0, table.caption, book.add_format({"bold": True}))
        for j, column in enumerate(table.columns):
            sheet.write_string(1, j, column, bold)
            texts = [str(row[j]) for row in table.rows]
            sheet.set_column(j, j, min(48, max(12, *(len(t) + 2 for t in [column[:24], *texts]))))
        for i, row in enumerate(table.rows):
            for j, cell in enumerate(row):
                if isinstance(cell, Number) and cell.value is not None:
                    sheet.write_number(i + 2, j, cell.value)
                else:
                    sheet.write_string(i + 2, j, str(cell))
        sheet.freeze_panes(2, 1)
    book.close()
    return out.getvalue()


def sheet_names(tables: Mapping[str, Table]) -> dict[str, str]:
    """A name for each sheet: without forbidden signs, short enough, and each only once.

    >>> table = Table(("a",), (), "c")
    >>> sheet_names({"a" * 40: table, "a" * 41: table}).values()
    dict_values(['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa-2'])
    """
    names: dict[str, str] = {}
    for key in tables:
        base = re.sub(r"[\[\]:*?/\\']", "-", key) or "table"
        name, count = base[:SHEET_NAME], 1
        while name.lower() in {n.lower() for n in names.values()}:
            count += 1
            name = f"{base[: SHEET_NAME - len(str(count)) - 1]}-{count}"
        names[key] = name
    return names
