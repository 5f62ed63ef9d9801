"""A table for LaTeX: a `tabular` with booktabs' rules and siunitx's numbers, to be put into a table environment."""

import re

from tabular.rows import heading

SPECIAL = {"\\": r"\textbackslash{}", "_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
           "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "µ": r"\textmu{}", "≤": r"$\le$", "·": r"$\cdot$"}


def escaped(text):
    return "".join(SPECIAL.get(character, character) for character in text)


def number(figure):
    """One figure for running text."""
    if not figure.measured:
        return "--"
    sign = f"${figure.comparator}$" if figure.comparator else ""
    return f"{sign}\\num{{{figure.value}}}"


def cell(figure):
    """What stands in an S column: a bare number lines up at its decimal point, all else needs braces."""
    if not figure.measured or figure.comparator:
        return "{" + number(figure) + "}"
    return figure.value


def interval(figure):
    return f"[\\num{{{figure.low}}}, \\num{{{figure.high}}}]" if figure.bounded else ""


def column(figures):
    """An S column wide enough for its figures."""
    values = [f.value for f in figures if f.measured] or ["0"]
    whole = max(len(value.partition(".")[0].lstrip("-")) for value in values)
    decimals = max(len(value.partition(".")[2]) for value in values)
    return f"S[table-format={whole}.{decimals}, table-text-alignment=right]"


def write(table):
    rows = [row for section in table.sections for row in section.rows]
    first = 2 if table.several else 1
    shape = "l" * first
    heads = ["Model"] + (["Run"] if table.several else [])
    with_interval = [any(row.figures[i].bounded for row in rows) for i in range(len(table.columns))]
    for i, name in enumerate(table.columns):
        shape += " " + column([row.figures[i] for row in rows]) + (" l" if with_interval[i] else "")
        words = escaped(heading(name))
        heads.append(f"\\multicolumn{{{2 if with_interval[i] else 1}}}{{c}}{{{words}}}")
    span = first + len(table.columns) + sum(with_interval)
    lines = ["% Made by scripts/tables.py from summary.json; needs \\usepackage{booktabs,siunitx}.",
             f"% Brackets: 95% intervals over {table.blocks_words()}. --: no figure; > and <: bounds.",
             f"\\begin{{tabular}}{{@{{}}{shape}@{{}}}}", "\\toprule", " & ".join(heads) + r" \\"]
    for section in table.sections:
        slo = escaped(section.slo).replace("<=", r"$\le$")
        lines.append("\\midrule")
        lines.append(f"\\multicolumn{{{span}}}{{@{{}}l}}{{\\emph{{{escaped(section.title)}}}{', ' + slo if slo else ''}}} \\\\")
        for row in section.rows:
            words = [escaped(row.label)] + ([escaped(row.run)] if table.several else [])
            for i, figure in enumerate(row.figures):
                words.append(cell(figure))
                if with_interval[i]:
                    words.append(interval(figure))
            lines.append(" & ".join(words) + r" \\")
    return "\n".join(lines + ["\\bottomrule", "\\end{tabular}"]) + "\n"


def letters(text):
    """`fixed_pool threads=64` as part of a command's name: FixedPoolThreadsSixFour."""
    digits = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    words = re.findall(r"[A-Za-z]+|[0-9]|\.(?=[0-9])", text)
    return "".join(digits[int(word)] if word.isdigit() else "Point" if word == "." else word[0].upper() + word[1:] for word in words)
