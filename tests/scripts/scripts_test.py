#!/usr/bin/python3
"""What the commands of scripts/ have in common: names, text of strangers, standard streams, and what lies around them."""

import json
import os
import shlex
import stat
import subprocess
import sys
import tempfile
import unittest

from tiny_run import SCRIPTS, digests, script, write_run  # first: it makes the modules of scripts/ found
import files
import precipice_run
import report_data
from figures import glyphs, settings
from figures.fit import cut, fitted, inches
from figures.names import short_names, slugs
from shown import clean, shown
from tabular import markdown

settings.apply()
COMMANDS = ("plot.py", "report.py", "tables.py", "learn.py", "studies/harness_costs.py", "studies/compare_fio.py",
            "studies/compare_downstreams.py", "studies/compare_servers.py", "studies/false_alarms.py",
            "studies/leaving_peers.py", "studies/slow_clients.py", "studies/stalled_server.py", "studies/tradeoffs.py")


class Names(unittest.TestCase):
    def test_say_only_what_differs(self):
        members = [(f"oracle:mean=1ms,servers={n},service=exponential", "oracle", {"mean": "1ms", "servers": str(n), "service": "exponential"})
                   for n in (1, 2)]
        self.assertEqual(list(short_names(members).values()), ["oracle servers=1", "oracle servers=2"])

    def test_a_model_that_is_there_once_is_its_name_alone(self):
        self.assertEqual(short_names([("a:x=1", "a", {"x": "1"}), ("b:x=1", "b", {"x": "1"})]), {"a:x=1": "a", "b:x=1": "b"})

    def test_an_option_that_only_one_has_differs(self):
        self.assertEqual(short_names([("a", "a", {}), ("a:x=1", "a", {"x": "1"})]), {"a": "a", "a:x=1": "a x=1"})

    def test_where_two_would_be_alike_the_whole_text_stands(self):
        self.assertEqual(short_names([("a:x=1", "a", {}), ("a:x=2", "a", {})]), {"a:x=1": "a:x=1", "a:x=2": "a:x=2"})

    def test_of_files_are_short_and_each_is_there_once(self):
        made = slugs(["a_b", "a-b", "a" * 300, "a" * 301, "測"])
        self.assertEqual(len(set(made.values())), 5)
        self.assertLess(max(map(len, made.values())), 100)


class Room(unittest.TestCase):
    LONG = "oracle discipline=ps service=bimodal(0.9, 0.5, 5.5) servers=8"

    def test_a_name_is_broken_between_its_options(self):
        lines = fitted(self.LONG, 2.6, 11, 3).split("\n")
        self.assertEqual(" ".join(lines), self.LONG)
        self.assertIn("service=bimodal(0.9, 0.5, 5.5)", lines[1])
        self.assertLessEqual(max(inches(line, 11) for line in lines), 2.6)

    def test_what_is_too_wide_is_cut_in_its_middle(self):
        for room in (0.3, 1.0, 3.0):
            line = cut(self.LONG, room, 11)
            self.assertLessEqual(inches(line, 11), room)
            self.assertIn("…", line)
        self.assertTrue(line.startswith("oracle") and line.endswith("=8"), line)
        self.assertEqual(cut(self.LONG, 20, 11), self.LONG)


class TextOfStrangers(unittest.TestCase):
    def test_cannot_steer_a_terminal_or_turn_a_line_around(self):
        self.assertEqual(shown("\x1b[2J\x07\x9b31m \u202e\u2066\n"), r"\x1b[2J\x07\x9b31m \u202e\u2066\x0a")
        self.assertEqual(shown(os.fsdecode(b"caf\xe9")), r"caf\xe9")
        self.assertEqual(shown("µs ≤ 10 ms · 測"), "µs ≤ 10 ms · 測")
        self.assertEqual(clean({"a\x1b": ["\x07", 1, None]}), {r"a\x1b": [r"\x07", 1, None]})

    def test_without_a_glyph_is_drawn_as_its_number_and_told(self):
        glyphs.lacking.clear()
        self.assertEqual(glyphs.drawable("a≤測"), r"a≤\u6e2c")
        self.assertIn("測", glyphs.remark())
        glyphs.lacking.clear()

    def test_makes_no_links_or_html_in_markdown(self):
        self.assertEqual(markdown.escaped("<b>|[x](y)"), r"\<b\>\|\[x\](y)")

    def test_on_the_page_is_escaped_and_whole_numbers_stay_whole(self):
        made = report_data.for_page({"seed": 20261122, "big": 2 ** 53 + 1, "nan": float("nan"), "name": "\u202e<b>"})
        self.assertEqual(made, {"seed": 20261122, "big": "9007199254740993", "nan": None, "name": r"\u202e<b>"})

    def test_in_a_command_that_is_printed_is_one_word_of_a_shell(self):
        with tempfile.TemporaryDirectory(prefix="it's #1 ") as directory:
            binary = os.path.join(directory, "fails")
            with open(binary, "w") as stream:
                stream.write("#!/bin/sh\nexit 9\n")
            os.chmod(binary, 0o755)
            command = script("studies/false_alarms.py", "--binary", binary, "--pairs", "1").stderr.split(": exit 9")[0]
            self.assertEqual(shlex.split(command)[:2], [binary, "run"])

    def test_goes_into_no_output_raw(self):
        with tempfile.TemporaryDirectory() as parent:
            directory = os.path.join(parent, os.fsdecode(b"caf\xe9"))
            os.mkdir(directory)
            write_run(directory, suite="\x1b[2J\u202e{{STYLE}}", measured=(("fixed_pool", {"threads": "8\x1b[1m"}, 4000.0),))
            for form in ("latex", "markdown", "macros"):
                done = script("tables.py", directory, "--as", form)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(all(line.isprintable() for line in done.stdout.splitlines()), form)
            drawn = script("plot.py", directory, "--format", "svg")
            self.assertEqual(drawn.returncode, 0, drawn.stderr)
            with open(os.path.join(directory, "figures", "capacity.svg"), encoding="utf-8") as svg:
                self.assertIn(r"suite \x1b[2J\u202e", svg.read())


class StandardOutput(unittest.TestCase):
    def call(self, shell, name, *arguments):
        return subprocess.run(["sh", "-c", f'exec "$@" {shell}', "sh", os.path.join(SCRIPTS, name), *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)

    def test_that_takes_nothing_is_exit_code_5_and_one_line(self):
        for name in COMMANDS:
            done = self.call(">/dev/full", name, "--help")
            self.assertEqual((done.returncode, done.stderr), (5, f"{os.path.basename(name)}: cannot write standard output: No space left on device\n"))
        done = self.call(">&-", "tables.py", "--help")
        self.assertEqual((done.returncode, done.stderr), (5, "tables.py: cannot write standard output: Bad file descriptor\n"))

    def test_with_all_streams_closed_nothing_is_written_into_files(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            self.assertEqual(self.call("<&- >&- 2>&-", "tables.py", directory).returncode, 5)
            again = script("tables.py", directory, "--out", os.path.join(directory, "again"))
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(digests(os.path.join(directory, "tables")), digests(os.path.join(directory, "again")))


class Surroundings(unittest.TestCase):
    def test_change_no_picture(self):
        with tempfile.TemporaryDirectory() as place:
            run = os.path.join(place, "run")
            os.mkdir(run)
            write_run(run)
            with open(os.path.join(place, "matplotlibrc"), "wb") as settings_of_user:
                settings_of_user.write(b"font.size: 40\nsavefig.dpi: 30\ntext.usetex: True\nno such line \xff\n")
            os.mkdir(os.path.join(place, "figures"))
            for name in ("numpy.py", os.path.join("figures", "__init__.py")):
                with open(os.path.join(place, name), "w", encoding="utf-8"):
                    pass
            clean_drawn = script("plot.py", run, "--format", "svg,png", "--out", os.path.join(run, "a"))
            self.assertEqual(clean_drawn.returncode, 0, clean_drawn.stderr)
            done = script("plot.py", run, "--format", "svg,png", "--out", os.path.join(run, "b"), cwd=place, MPLBACKEND="none", MATPLOTLIBRC=place,
                          PYTHONPATH=place, MPLCONFIGDIR=place, XDG_CONFIG_HOME=place, HOME="/nonexistent", LC_ALL="de_DE.UTF-8", TZ="Asia/Tokyo",
                          SOURCE_DATE_EPOCH="1", PYTHONWARNINGS="error")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(digests(os.path.join(run, "a")), digests(os.path.join(run, "b")))

    def test_a_broken_package_is_named_with_its_reason_its_place_and_a_cure(self):
        for package, body, reason, name in (("matplotlib", 'raise ImportError("core failed")', "ImportError: core failed", "learn.py"),
                                            ("numpy", "import os; os.nosuch", "module 'os' has no attribute 'nosuch'", "tables.py")):
            with tempfile.TemporaryDirectory() as place:
                os.mkdir(os.path.join(place, package))
                with open(os.path.join(place, package, "__init__.py"), "w", encoding="utf-8") as source:
                    source.write(body)
                done = script(name, "x", PYTHONPATH=place)
                self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
                for words in (reason, os.path.join(place, package), "unset PYTHONPATH"):
                    self.assertIn(words, done.stderr)


class Reproduce(unittest.TestCase):
    """scripts/reproduce.sh, with a program in the place of precipice that writes down what it is asked for."""

    def call(self, place, original, **environment):
        program, log = os.path.join(place, "program"), os.path.join(place, "log")
        with open(program, "w", encoding="utf-8") as stream:
            stream.write(f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{log}"\n[ "$1" != run ] || echo here >"$PRECIPICE_DIRECTORY_FILE"\n')
        os.chmod(program, 0o755)
        done = script("reproduce.sh", "--binary", program, original, interpreter=("/bin/bash",), cwd=place, **environment)
        if not os.path.exists(log):
            return done, []
        with open(log, encoding="utf-8") as stream:
            return done, stream.read().splitlines()

    def test_finds_the_newest_finished_run_whatever_its_directory_is_called(self):
        for name in ('a "b" #c', "it's", "back\\slash", "über"):
            with tempfile.TemporaryDirectory() as place:
                for run, finished in (("1", "true"), ("2", "true"), ("3", "false")):
                    os.makedirs(os.path.join(place, name, "t", run))
                    with open(os.path.join(place, name, "t", run, "manifest.json"), "w", encoding="utf-8") as stream:
                        stream.write('{\n  "finished": %s,\n  "seed": 1\n}\n' % finished)
                done, asked = self.call(place, f"{name}/t", CDPATH=place)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn(f"{name}/t/2/suite.toml", asked)
                self.assertEqual(asked[-4:], ["check", "here", "--claims-of", f"{name}/t/2"])

    def test_names_tmpdir_where_it_cannot_write_and_takes_an_empty_one_for_none(self):
        with tempfile.TemporaryDirectory() as place:
            os.makedirs(os.path.join(place, "t"))
            with open(os.path.join(place, "t", "manifest.json"), "w", encoding="utf-8"):
                pass
            done, _ = self.call(place, "t", TMPDIR="/nonexistent")
            self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1))
            self.assertIn("set TMPDIR", done.stderr)
            self.assertEqual(self.call(place, "t", TMPDIR="")[0].returncode, 0)

    def test_lets_no_name_in_an_archive_steer_the_terminal(self):
        with tempfile.TemporaryDirectory() as place:
            os.makedirs(os.path.join(place, "t", "run"))
            with open(os.path.join(place, "t", "SHA256SUMS"), "w", encoding="utf-8") as stream:
                stream.write("0" * 64 + "  \x1b[2Jholds\u202e\n")
            done, _ = self.call(place, "t")
            self.assertEqual(done.returncode, 2)
            self.assertIn("holds", done.stderr)
            self.assertTrue(all(line.isprintable() for line in done.stderr.splitlines()), done.stderr)
            steering = "\x1b[2Jholds\u202e.tar.gz"
            with open(os.path.join(place, steering), "wb") as stream:
                stream.write(b"no archive")
            done, _ = self.call(place, steering)
            self.assertEqual(done.returncode, 2)
            self.assertIn("holds", done.stderr)
            self.assertTrue(all(line.isprintable() for line in done.stderr.splitlines()), done.stderr)


class Files(unittest.TestCase):
    def test_that_are_pipes_or_devices_are_not_waited_for(self):
        for name in ("manifest.json", "suite.toml", "environment.before.json", "journal.jsonl"):
            with tempfile.TemporaryDirectory() as directory:
                write_run(directory, journal=False)
                os.mkfifo(os.path.join(directory, name))
                self.assertEqual(list(precipice_run.load(directory).journal()), [])
        for place in ("/dev/zero", "/dev/null"):
            with self.assertRaisesRegex(OSError, "no regular file"):
                files.opened(place)

    def test_are_replaced_as_a_whole_and_devices_and_pipes_never(self):
        files.write_text(os.devnull, "text")
        self.assertTrue(stat.S_ISCHR(os.stat(os.devnull).st_mode))
        with self.assertRaisesRegex(OSError, "No space left"):
            files.write_text("/dev/full", "text")
        with tempfile.TemporaryDirectory() as directory:
            kept, pipe = os.path.join(directory, "kept"), os.path.join(directory, "pipe")
            files.write_text(kept, "text")
            with self.assertRaises(UnicodeEncodeError):
                files.write_text(kept, "\udc80")
            os.mkfifo(pipe)
            with self.assertRaisesRegex(OSError, "a pipe that nobody reads"):
                files.write_text(pipe, "text")
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            files.write_text(pipe, "text")
            self.assertEqual(os.read(reader, 9), b"text")
            os.close(reader)
            self.assertEqual(sorted(os.listdir(directory)), ["kept", "pipe"])
            with open(kept, encoding="utf-8") as stream:
                self.assertEqual(stream.read(), "text")

    def test_below_thousands_of_directories_are_refused_in_one_line(self):
        with tempfile.TemporaryDirectory() as directory:
            write_run(directory)
            for name in ("tables.py", "plot.py"):
                done = script(name, directory, "--out", os.path.join(directory, "d/" * 3000))
                self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
                self.assertIn("File name too long", done.stderr)


class Runs(unittest.TestCase):
    def write(self, directory, finished, points=True):
        os.makedirs(directory)
        write_run(directory)
        with open(os.path.join(directory, "manifest.json"), "w", encoding="utf-8") as stream:
            stream.write('{"finished": %s}' % str(finished).lower())
        if not points:
            with open(os.path.join(directory, "points.csv"), encoding="utf-8") as stream:
                head = stream.readline()
            with open(os.path.join(directory, "points.csv"), "w", encoding="utf-8") as stream:
                stream.write(head)

    def test_unfinished_ones_are_named_where_no_finished_one_is_there(self):
        with tempfile.TemporaryDirectory() as suite:
            for name in ("1", "2"):
                self.write(os.path.join(suite, name), False)
            with self.assertRaisesRegex(precipice_run.RunError, "holds no finished run; name an unfinished one itself to read it: .*/2$"):
                precipice_run.load(suite)
            self.write(os.path.join(suite, "0"), True)
            self.assertEqual(precipice_run.load(suite).directory, os.path.join(suite, "0"))

    def test_of_other_types_are_refused_in_one_line(self):
        deep = []
        for _ in range(400):
            deep = [deep]
        for cells in (7.0, True, deep):
            with tempfile.TemporaryDirectory() as directory:
                write_run(directory)
                with open(os.path.join(directory, "summary.json"), "w", encoding="utf-8") as stream:
                    json.dump({"schema": 1, "suite": "tiny", "cells": cells}, stream)
                with self.assertRaises(precipice_run.RunError):
                    precipice_run.load(directory)

    def test_without_a_trial_say_so(self):
        with tempfile.TemporaryDirectory() as place:
            self.write(os.path.join(place, "run"), False, points=False)
            for name, arguments in (("plot.py", ("--for", "web")), ("tables.py", ())):
                done = script(name, os.path.join(place, "run"), *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn("nothing was measured yet", done.stderr)

    def test_in_which_nothing_is_valid_give_the_page_the_reason_and_what_was_seen(self):
        with tempfile.TemporaryDirectory() as directory:
            self.write(os.path.join(directory, "run"), True)
            path = os.path.join(directory, "run", "summary.json")
            with open(path, encoding="utf-8") as stream:
                summary = json.load(stream)
            summary["speed"] = {"sentences": ["The machine's speed held."]}
            document = report_data.document(precipice_run.load(os.path.join(directory, "run")))
            self.assertEqual((document["nothing_valid"], len(document["speed"])), ("", 0))
            summary["nothing_valid"] = "Nothing was measured."
            summary["cells"][0]["indicative"] = {"cliff_per_s": {"value": 760, "reached": "ok"}, "text": "neighbour on CPU 1"}
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(summary, stream)
            document = report_data.document(precipice_run.load(os.path.join(directory, "run")))
            self.assertEqual((document["nothing_valid"], document["speed"]), ("Nothing was measured.", []))
            cells = document["workloads"][0]["cells"]
            self.assertEqual((cells[0]["indicative"], cells[0]["indicative_cliff"]["value"]), ("neighbour on CPU 1", 760))
            self.assertIsNone(cells[1]["indicative"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
