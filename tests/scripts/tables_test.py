#!/usr/bin/python3
"""Tables and commands for prose: that they say what summary.json says, and that LaTeX takes them."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from tiny_run import REFERENCE, ROOT, digests, script, write_run  # first: it makes the modules of scripts/ found
import precipice_run
from tabular import latex, macros, rows

COMMAND = re.compile(r"\\newcommand\{\\([A-Za-z]+)\}\{(.*)\}")


TEX = shutil.which("pdflatex") and shutil.which("kpsewhich") and subprocess.run(
    ["kpsewhich", "siunitx.sty", "booktabs.sty"], capture_output=True, text=True, check=False).stdout.count("\n") == 2
NO_TEX = "pdflatex with siunitx and booktabs (texlive-science) is not installed"


def tables(*arguments):
    return script("tables.py", *arguments)


def printed(*arguments):
    done = tables(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def commands(text):
    """{name: body}, and that nothing else is in the text but comments."""
    found = {}
    for line in text.splitlines():
        if line.startswith("%"):
            continue
        match = COMMAND.fullmatch(line)
        assert match, line
        assert match[1] not in found, f"twice: {match[1]}"
        found[match[1]] = match[2]
    return found


def numbers(line):
    """What a line of the LaTeX table says, as floats."""
    return [float(text) for text in re.findall(r"(?<![A-Za-z=\d])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", line)]


def same(text, exact, digits=3):
    return float(text) == float(f"{exact:.{digits - 1}e}")


class Rounding(unittest.TestCase):
    def test_keeps_the_digits_that_were_asked_for(self):
        for value, text in ((3123456.0, "3120000"), (0.99, "0.990"), (1.0, "1.00"), (57.04, "57.0"), (99.96, "100"), (0.0, "0"),
                            (0.00123, "0.00123"), (4.45e29, "4.45e+29"), (7e-10, "7.00e-10"), (-12.5, "-12.5")):
            self.assertEqual(rows.rounded(value, 3), text)
        self.assertEqual(rows.rounded(3123456.0, 7), "3123456")


class SayWhatTheSummarySays(unittest.TestCase):
    """Every run of the repository, read apart from the tables' own code."""

    def summary(self, run):
        with open(os.path.join(run, "summary.json"), encoding="utf-8") as stream:
            return json.load(stream)["cells"]

    def test_the_markdown(self):
        for run in REFERENCE:
            text = printed(run, "--as", "markdown")
            lines = {}
            section = ""
            for line in text.splitlines():
                if line.startswith("**"):
                    section = line.split("**")[1]
                elif line.startswith("| ") and not line.startswith(("| Model", "| :")):
                    words = [word.strip() for word in line.strip("|").split("|")]
                    lines[section, words[0]] = words[1:]
            self.assertEqual(len(lines), len(self.summary(run)))
            for cell in self.summary(run):
                name, _, options = cell["workload"].partition(":")
                model = " ".join([cell["model"]] + [f"{k}={v}" for k, v in cell["model_options"].items()])
                words = lines[f"{name} {options.replace(',', ', ')}".strip(), model]
                for said, figure in zip(words, (cell["cliff_per_s"], cell["saturation_per_s"])):
                    if figure["reached"] == "ok":
                        value, low, high = re.fullmatch(r"(\S+) \[(\S+), (\S+)\]", said).groups()
                        self.assertTrue(same(value, figure["value"]) and same(low, figure["low"]) and same(high, figure["high"]), (said, figure))
                    else:
                        self.assertEqual(said.split()[0], {"above": ">", "below": "<"}[figure["reached"]])
                        self.assertTrue(same(said.split()[1], figure["value"]), (said, figure))

    def test_the_latex_table(self):
        for run in REFERENCE:
            text = printed(run, "--as", "latex", "--figure", "cliff_per_s", "--figure", "saturation_per_s")
            body = [line for line in text.splitlines() if " & " in line and not line.startswith("Model")]
            summary = self.summary(run)
            self.assertEqual(len(body), len(summary))
            order = sorted(range(len(summary)), key=lambda i: list(dict.fromkeys(c["workload"] for c in summary)).index(summary[i]["workload"]))
            for at, line in zip(order, body):
                cell, said = summary[at], [numbers(part) for part in line.split(" & ")[1:]]
                self.assertIn(latex.escaped(cell["model"]), line)
                for i, name in ((0, "cliff_per_s"), (2, "saturation_per_s")):
                    figure = cell[name]
                    self.assertEqual(len(said[i]), 1, line)
                    self.assertTrue(same(said[i][0], figure["value"]), line)
                    if figure["reached"] == "ok":
                        self.assertTrue(same(said[i + 1][0], figure["low"]) and same(said[i + 1][1], figure["high"]), line)
                    else:
                        self.assertEqual(said[i + 1], [], line)
                        self.assertIn(f"{{${'>' if figure['reached'] == 'above' else '<'}$", line)

    def test_the_commands(self):
        for run in REFERENCE:
            found = commands(printed(run, "--as", "macros"))
            for cell in self.summary(run):
                stem = "run" + latex.letters(cell["workload_name"]) + latex.letters(cell["series"].replace("threads=", ""))
                for name in ("cliff_per_s", "saturation_per_s", "knee_per_s", "overload_retention", "saturation_of_ideal"):
                    figure = cell[name]
                    command = stem + latex.letters(name.removesuffix("_per_s"))
                    if figure is None or figure["value"] is None:
                        self.assertNotIn(command, found)
                        continue
                    self.assertEqual(float(found[command + "Raw"]), figure["value"])
                    value, = re.findall(r"\\num\{(.*?)\}", found[command])
                    self.assertTrue(same(value, figure["value"]), command)
                    self.assertEqual("$>$" in found[command], figure["reached"] == "above", command)
                    if figure["reached"] == "ok" and figure["low"] is not None and figure["high"] is not None:
                        low, high = re.findall(r"\\num\{(.*?)\}", found[command + "Interval"])
                        self.assertTrue(same(low, figure["low"]) and same(high, figure["high"]), command)
                    else:
                        self.assertNotIn(command + "Interval", found)

    def test_a_changed_figure_changes_all_three(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            before = [printed(directory, "--as", form) for form in ("latex", "markdown", "macros")]
            path = os.path.join(directory, "summary.json")
            with open(path, encoding="utf-8") as stream:
                summary = json.load(stream)
            summary["cells"][0]["cliff_per_s"]["value"] = 1234.0
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(summary, stream)
            for form, old in zip(("latex", "markdown", "macros"), before):
                new = printed(directory, "--as", form)
                self.assertNotEqual(new, old)
                self.assertIn("1230", new)


class Names(unittest.TestCase):
    def test_are_letters_alone_and_each_is_there_once(self):
        for runs in ([REFERENCE[0]], [f"one={REFERENCE[0]}", f"two={REFERENCE[1]}"], REFERENCE):
            found = commands(printed(*runs, "--as", "macros"))  # which refuses anything else
            self.assertGreater(len(found), 100)

    def test_workloads_of_one_kind_are_told_apart_by_their_options(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            path = os.path.join(directory, "summary.json")
            with open(path, encoding="utf-8") as stream:
                summary = json.load(stream)
            more = [cell | {"workload": "cpu:work=1ms"} for cell in summary["cells"]]
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(summary | {"cells": summary["cells"] + more}, stream)
            found = commands(printed(directory, "--as", "macros"))
            self.assertIn("runCpuWorkTwoZeroZeroUsFixedPoolEightCliff", found)
            self.assertIn("runCpuWorkOneMsFixedPoolEightCliff", found)

    def test_one_name_for_two_figures_is_refused(self):
        names = macros.Names("run")
        names.add(["cpu", "a_b"], "1")
        with self.assertRaisesRegex(precipice_run.RunError, "runCpuAB"):
            names.add(["cpu", "a", "b"], "2")

    def test_runs_whose_names_are_one_in_letters_are_to_be_named_differently(self):
        for names in (("a-b", "a_b"), ("測", "x")):
            done = tables(f"{names[0]}={REFERENCE[0]}", f"{names[1]}={REFERENCE[1]}", "--as", "macros")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))
            self.assertIn("name the", done.stderr)
            self.assertIn("NAME=RUN", done.stderr)

    def test_a_prefix_is_a_word(self):
        self.assertIn("paperCpu", printed(REFERENCE[0], "--as", "macros", "--prefix", "paper"))
        done = tables(REFERENCE[0], "--as", "macros", "--prefix", "run1")
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1))


class Ratios(unittest.TestCase):
    def test_come_with_their_interval_and_verdict_from_the_ranking(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            path = os.path.join(directory, "summary.json")
            with open(path, encoding="utf-8") as stream:
                summary = json.load(stream)
            pair = {"a": "fixed_pool:threads=64", "b": "fixed_pool:threads=8", "ratio": 0.08, "low": 0.07, "high": 0.09, "verdict": "b < a"}
            summary["ranking"] = [{"workload": summary["cells"][0]["workload"], "figure": "cliff", "pairs": [pair]}]
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(summary, stream)
            found = commands(printed(directory, "--as", "macros"))
            self.assertEqual(found["runCpuFixedPoolEightToFixedPoolSixFourCliffRatio"], r"\num{0.0800}")
            self.assertEqual(found["runCpuFixedPoolEightToFixedPoolSixFourCliffRatioInterval"], r"\num{0.0700} to \num{0.0900}")


class Page(unittest.TestCase):
    def test_the_commands_of_the_documentation_work(self):
        with open(os.path.join(ROOT, "docs", "figures.md"), encoding="utf-8") as stream:
            commands = re.findall(r"^    scripts/tables\.py (.*)$", stream.read(), re.MULTILINE)
        self.assertGreater(len(commands), 4)
        for command in commands:
            with tempfile.TemporaryDirectory() as out:
                done = tables(*command.replace("results/reference", os.path.dirname(REFERENCE[0])).replace("$RUN", REFERENCE[0]).split(), "--out", out)
                self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")


class Files(unittest.TestCase):
    def test_the_same_data_gives_the_same_bytes_beside_the_run(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            self.assertEqual(tables(directory).returncode, 0)
            self.assertEqual(tables(directory, "--out", os.path.join(directory, "again")).returncode, 0)
            written = digests(os.path.join(directory, "tables"))
            self.assertEqual(set(written), {"capacity.tex", "capacity.md", "numbers.tex"})
            self.assertEqual(written, digests(os.path.join(directory, "again")))

    def test_what_was_not_measured_is_a_dash_not_a_number(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            line = next(line for line in printed(directory, "--as", "latex").splitlines() if line.startswith(r"io\_uring"))
            self.assertEqual(numbers(line), [])
            self.assertIn("not measured", next(line for line in printed(directory, "--as", "markdown").splitlines() if "io_uring" in line))
            self.assertNotIn("IoUringCliff", printed(directory, "--as", "macros"))

    def test_what_cannot_be_done_is_one_line_and_exit_code_2(self):
        for said, arguments in {"no such directory": ("/nowhere",), "no figure of a cell": (REFERENCE[0], "--figure", "beauty"),
                                "nothing to tabulate": (REFERENCE[0], "--workload", "none"), "not from 1 to 15": (REFERENCE[0], "--digits", "0")}.items():
            done = tables(*arguments)
            self.assertEqual(done.returncode, 2, said)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


class Latex(unittest.TestCase):
    def test_its_special_characters_are_escaped(self):
        self.assertEqual(latex.escaped("a_b & 100% #1 {x} ~^\\$"), r"a\_b \& 100\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{}\$")

    def test_every_row_has_as_many_cells_as_the_table_has_columns(self):
        for runs in ([REFERENCE[0]], [f"one={REFERENCE[0]}", f"two={REFERENCE[1]}"]):
            text = printed(*runs, "--as", "latex")
            shape = re.search(r"\\begin\{tabular\}\{@\{\}(.*)@\{\}\}", text)[1]
            columns = len(re.sub(r"\[.*?\]", "", shape).replace(" ", ""))
            for line in text.splitlines():
                if line.endswith(r"\\"):
                    spans = [int(span) for span in re.findall(r"\\multicolumn\{(\d)\}", line)]
                    self.assertEqual(len(line.split(" & ")) - len(spans) + sum(spans), columns, line)
            self.assertEqual(text.count(r"\begin{tabular}"), text.count(r"\end{tabular}"))
            self.assertLess(text.index(r"\toprule"), text.index(r"\midrule"))
            self.assertLess(text.rindex(r"\midrule"), text.index(r"\bottomrule"))

    @unittest.skipUnless(TEX, NO_TEX)
    def test_pdflatex_takes_the_table_and_every_command(self):
        with tempfile.TemporaryDirectory() as directory:
            done = tables(f"one={REFERENCE[0]}", f"two={REFERENCE[1]}", "--out", directory)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(os.path.join(directory, "numbers.tex"), encoding="utf-8") as stream:
                names = list(commands(stream.read()))
            self.compile(directory, "\\documentclass{article}\\usepackage{booktabs,siunitx}\\input{numbers}\\begin{document}\n\\input{capacity}\n\n"
                         + "\n".join(f"\\{name};" for name in names) + "\n\\end{document}\n")

    @unittest.skipUnless(TEX, NO_TEX)
    def test_the_example_of_the_documentation_compiles(self):
        with open(os.path.join(ROOT, "docs", "figures.md"), encoding="utf-8") as stream:
            example = re.search(r"^    \\documentclass.*?^    \\end\{document\}$", stream.read(), re.MULTILINE | re.DOTALL)[0]
        with tempfile.TemporaryDirectory() as directory:
            self.assertEqual(tables(REFERENCE[0], "--out", directory).returncode, 0)
            self.compile(directory, re.sub("^    ", "", example, flags=re.MULTILINE))

    def compile(self, directory, text):
        with open(os.path.join(directory, "paper.tex"), "w", encoding="utf-8") as stream:
            stream.write(text)
        told = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"], cwd=directory, capture_output=True,
                              text=True, check=False)
        self.assertEqual(told.returncode, 0, told.stdout[-2000:])
        self.assertTrue(os.path.exists(os.path.join(directory, "paper.pdf")))


if __name__ == "__main__":
    unittest.main()
