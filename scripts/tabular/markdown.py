"""A table in Markdown, for a README or a page; one per workload."""

import re

from tabular.rows import heading


def number(figure):
    if not figure.measured:
        return "not measured"
    words = f"{figure.comparator} {figure.value}".strip()
    return f"{words} [{figure.low}, {figure.high}]" if figure.bounded else words


def line(words, widths):
    return "| " + " | ".join(word.ljust(width) for word, width in zip(words, widths)) + " |"


def escaped(text):
    """Text that makes neither columns, nor links, nor HTML."""
    return re.sub(r"[\\`*\[\]<>|]", r"\\\g<0>", text)


def write(table):
    parts = []
    for section in table.sections:
        heads = ["Model"] + (["Run"] if table.several else []) + [heading(name) for name in table.columns]
        body = [[escaped(row.label)] + ([escaped(row.run)] if table.several else []) + [number(f) for f in row.figures]
                for row in section.rows]
        widths = [max(len(row[i]) for row in [heads] + body) for i in range(len(heads))]
        left = 2 if table.several else 1
        rule = [":" + "-" * (w - 1) if i < left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
        slo = f", {section.slo.replace('<=', '≤')}" if section.slo else ""
        parts.append("\n".join([f"**{escaped(section.title)}**{slo}", "", line(heads, widths), line(rule, widths)]
                               + [line(row, widths) for row in body]))
    return "\n\n".join(parts) + f"\n\nBrackets: 95% intervals over {table.blocks_words()}. > and <: bounds.\n"
