#!/usr/bin/python3
"""Every file reaches, through its own includes, the headers of what it uses: of the standard library's common names, and of
the project's classes, structures and enumerations.

Builds that compile sources together do not prove that. This reads text, in half a second; the preset `debug` proves the rest.
With `--self-test`: trees with a fault that must be found, and one without.

    includes_test.py [--self-test]
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("models", "workloads", "harness", "tests")
PROVIDES = {
    "algorithm":
        "all_of any_of clamp copy count_if equal fill find find_if generate is_sorted lower_bound max_element "
        "min_element minmax_element none_of nth_element partition remove_if replace reverse rotate shuffle "
        "sort stable_sort transform unique upper_bound",
    "array": "array",
    "atomic": "atomic atomic_flag atomic_ref atomic_thread_fence memory_order_relaxed",
    "bit": "bit_cast bit_ceil bit_width countl_zero countr_zero has_single_bit popcount",
    "bitset": "bitset",
    "charconv": "from_chars to_chars",
    "chrono": "chrono",
    "cmath":
        "cbrt ceil erf exp expm1 floor hypot isfinite isinf isnan llround log log10 log1p log2 lround pow "
        "round sqrt trunc",
    "condition_variable": "condition_variable",
    "coroutine": "coroutine_handle suspend_always suspend_never",
    "deque": "deque",
    "cstring": "memchr memcmp memcpy memset strcmp strerror strlen",
    "exception": "current_exception exception_ptr rethrow_exception terminate",
    "filesystem": "filesystem",
    "fstream": "fstream ifstream ofstream",
    "functional": "function greater hash invoke less",
    "future": "async future promise",
    "limits": "numeric_limits",
    "map": "map multimap",
    "memory": "make_shared make_unique shared_ptr unique_ptr weak_ptr",
    "mutex": "call_once lock_guard mutex scoped_lock unique_lock",
    "numbers": "numbers",
    "numeric": "accumulate gcd inner_product iota midpoint partial_sum reduce",
    "optional": "nullopt optional",
    "queue": "priority_queue queue",
    "random": "mt19937 mt19937_64 normal_distribution",
    "regex": "regex",
    "set": "multiset set",
    "shared_mutex": "shared_mutex",
    "span": "span",
    "sstream": "istringstream ostringstream stringstream",
    "stdexcept": "invalid_argument logic_error out_of_range runtime_error",
    "string": "getline stod stoi string to_string",
    "string_view": "string_view",
    "thread": "jthread this_thread thread",
    "tuple": "make_tuple tie tuple",
    "type_traits": "conditional_t decay_t enable_if_t is_same_v remove_cvref_t",
    "unordered_map": "unordered_map",
    "unordered_set": "unordered_set",
    "utility": "exchange forward make_pair move pair swap",
    "variant": "get_if holds_alternative monostate variant visit",
    "vector": "vector",
}
# A header that brings another by the standard, or in every implementation of it that this is built with.
ALSO = {"string": {"string_view"}, "map": {"utility"}, "unordered_map": {"utility"}, "thread": {"chrono"}}
HEADER_OF = {name: header for header, names in PROVIDES.items() for name in names.split()}
# Of libraries: what is used, and a header that declares it.
LIBRARIES = {r"\bnlohmann::": "nlohmann/json.hpp", r"\bfmt::format\(": "fmt/format.h", r"\bEXPECT_": "gtest/gtest.h"}
USE = re.compile(r"\bstd::(\w+)")
INCLUDE = re.compile(r'^#include ([<"])([^>"]+)[>"]', re.M)
DECLARED = re.compile(r"\b(?:class|struct|enum class) (?:\[\[\w+\]\] )?(\w+)(?: final)?(?: :[^;{]*)? ?\{")
ALIAS = re.compile(r"\busing (\w+) =|\btypedef .* (\w+);")
# Declared in the file itself, or the name of its tests.
OWN = re.compile(r"\b(?:class |struct |enum class |using |typename |TEST\(|TEST_F\(|TEST_P\(|INSTANTIATE_TEST_SUITE_P\(\s*)(\w+)")


def strip(text):
    """Without comments and without the contents of literals."""
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', "", text, flags=re.S)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Project:
    def __init__(self, files):
        self.files = files  # path -> text
        self.reached = {}
        places = {}
        for path, text in files.items():
            for name in DECLARED.findall(strip(text)) + [alias for pair in ALIAS.findall(strip(text)) for alias in pair]:
                places.setdefault(name, []).append(path)
        # A name that two places declare is either's.
        self.place = {name: paths[0] for name, paths in places.items() if len(paths) == 1 and paths[0].endswith(".hpp")}

    def headers(self, path):
        """Headers that a file includes, itself or through the project's own, and itself."""
        if path not in self.reached:
            self.reached[path] = {path}  # of a circle
            for kind, name in INCLUDE.findall(self.files[path]):
                self.reached[path] |= {name} | (self.headers(name) if kind == '"' and name in self.files else ALSO.get(name, set()))
        return self.reached[path]

    def faults(self, path):
        text, have = strip(self.files[path]), self.headers(path)
        for header in sorted({HEADER_OF[name] for name in USE.findall(text) if name in HEADER_OF} - have):
            yield f"{path} uses std:: of <{header}> and includes it nowhere"
        for use, header in LIBRARIES.items():
            forward = header.replace(".hpp", "_fwd.hpp")
            if re.search(use, text) and header not in have and f"<{forward}>" not in self.files[path]:
                yield f"{path} uses what <{header}> declares and includes it nowhere"
        own = set(OWN.findall(text))
        for name in sorted(set(re.findall(r"\b[A-Z]\w+", text)) & self.place.keys()):
            if name not in own and self.place[name] not in have:
                yield f"{path} uses {name} of {self.place[name]} and includes it nowhere"


def tree(root):
    for folder in FOLDERS:
        for at, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".hpp", ".cpp")):
                    path = os.path.relpath(os.path.join(at, name), root)
                    yield path, read(os.path.join(root, path))


def self_test():
    cases = {
        "models/a.hpp uses std:: of <vector> and includes it nowhere": {"models/a.hpp": "std::vector<int> all();  // std::map\n"},
        "models/b.cpp uses Thing of models/a.hpp and includes it nowhere":
            {"models/a.hpp": "struct Thing {};\n", "models/b.cpp": 'Thing thing; const char* text = "std::string";\n'},
        None: {"models/a.hpp": "#include <vector>\nstruct Thing {\n  std::vector<int> all;\n};\n",
               "models/b.cpp": '#include "models/a.hpp"\nstd::vector<Thing> things;\n',
               "models/c.hpp": "struct Thing;\nvoid take(const Thing&);\n"},
    }
    for fault, files in cases.items():
        found = [each for path in files for each in Project(files).faults(path)]
        if found != ([fault] if fault else []):
            yield f"expected {fault}, found {found}"


def main():
    files = dict(tree(ROOT))
    project = Project(files)
    wrong = list(self_test()) if "--self-test" in sys.argv else [fault for path in sorted(files) for fault in project.faults(path)]
    print("\n".join(wrong) or "every file includes what it uses")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
