#!/usr/bin/python3
"""The files that CONTRIBUTING.md gives whole still compile: C++ by the compiler's front end, Python by Python.

    recipes_test.py COMPILER
"""
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import unittest

COMPILER = sys.argv.pop(1)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(ROOT, "CONTRIBUTING.md"), encoding="utf-8") as file:
    BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)


def of(language):
    return [text for name, text in BLOCKS if name == language]


class Recipes(unittest.TestCase):
    def test_in_cpp_compile(self):
        self.assertEqual(len(of("cpp")), 4)  # a model, a policy, a workload, a verb
        for text in of("cpp"):
            with self.subTest(text.partition("\n")[0]), tempfile.NamedTemporaryFile("w", suffix=".cpp") as source:
                source.write(text)
                source.flush()
                done = subprocess.run([COMPILER, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", ROOT, source.name],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not there")
    def test_in_python_import_what_is_there(self):
        sys.path.insert(0, os.path.join(ROOT, "scripts"))
        self.assertEqual(len(of("python")), 1)
        for text in of("python"):
            exec(compile(text, "CONTRIBUTING.md", "exec"), {})


if __name__ == "__main__":
    unittest.main()
