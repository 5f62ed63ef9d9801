#!/usr/bin/python3
"""The studies of trade-offs, and the field's sentences about them: each of their suites is run, and its claims hold. On the virtual clock, so a verdict repeats.

    tradeoffs_test.py PRECIPICE SOURCE_DIR
"""

import glob
import json
import os
import subprocess
import sys
import tempfile
import unittest

PRECIPICE, SOURCE = sys.argv.pop(1), sys.argv.pop(1)
SUITES = sorted(glob.glob(os.path.join(SOURCE, "workloads", "suites", "tradeoff_*.toml")))
SENTENCES = os.path.join(SOURCE, "workloads", "suites", "claims_tradeoffs.toml")
# A run writes each trial to the disk before the next, which takes longer than the trial.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def precipice(*words):
    return subprocess.run([PRECIPICE, *words], capture_output=True, text=True, check=False)


class Tradeoffs(unittest.TestCase):
    def test_the_claims_of_every_study_hold(self):
        self.assertGreaterEqual(len(SUITES), 21)
        for suite in [*SUITES, SENTENCES]:
            name = os.path.basename(suite).removesuffix(".toml")
            with self.subTest(name), tempfile.TemporaryDirectory(dir=MEMORY) as out:
                done = precipice("run", suite, "--out", out)
                self.assertEqual(done.returncode, 0, done.stderr)
                checked = precipice("check", os.path.join(out, name), "--json")
                claims = json.loads(checked.stdout)["claims"]
                self.assertGreaterEqual(len(claims), 2)
                self.assertEqual([each for each in claims if each["outcome"] != "holds"], [])
                self.assertEqual(checked.returncode, 0)

    def test_every_study_is_on_the_page(self):
        with open(os.path.join(SOURCE, "docs", "tradeoffs.md"), encoding="utf-8") as file:
            page = file.read()
        for suite in SUITES:
            self.assertIn(os.path.basename(suite), page)


if __name__ == "__main__":
    unittest.main()
