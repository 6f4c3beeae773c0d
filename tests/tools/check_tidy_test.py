#!/usr/bin/env python3
"""Plants code that breaks a limit, and code exactly at the limit, for check_tidy.py."""

import unittest

from planted_tree import PlantedTree, import_tools

import_tools()
import check_tidy  # noqa: E402 (the path is set above)
from cpp_functions import find_functions  # noqa: E402


def body(lines, head="int f() {"):
    """A function of this many lines."""
    return "\n".join([head] + ["  g();"] * (lines - 2) + ["}"]) + "\n"


class CheckTidy(unittest.TestCase):
    def rules(self, *files):
        """The violations, as "path:line", in a tree of these (path, text) files."""
        with PlantedTree() as tree:
            for path, text in files:
                tree.write(path, text)
            return [f"{path}:{line}" for path, line, _ in check_tidy.check(tree.root)]

    def test_a_file_has_400_lines_at_most(self):
        self.assertEqual(self.rules(("models/a.cpp", "int i;\n" * 400)), [])
        self.assertEqual(self.rules(("models/a.cpp", "int i;\n" * 401)), ["models/a.cpp:401"])
        self.assertEqual(self.rules(("tools/run", "#!/bin/bash\n" * 401)), ["tools/run:401"])

    def test_a_function_has_70_lines_at_most(self):
        self.assertEqual(self.rules(("models/a.cpp", body(70))), [])
        self.assertEqual(self.rules(("models/a.cpp", "\n" + body(71))), ["models/a.cpp:2"])
        self.assertEqual(self.rules(("tests/a.py", "def f():\n" + "    x = 1\n" * 70)),
                         ["tests/a.py:1"])
        self.assertEqual(self.rules(("tools/a.sh", body(71, "f() {"))), ["tools/a.sh:1"])

    def test_a_behaviour_has_40_lines_at_most(self):
        head = "job_actor::behavior_type job(job_actor::pointer self) {"
        self.assertEqual(self.rules(("actors/a.cpp", body(40, head))), [])
        self.assertEqual(self.rules(("actors/a.cpp", body(41, head))), ["actors/a.cpp:1"])
        self.assertEqual(self.rules(("actors/a.cpp", body(41, "caf::behavior f() {"))),
                         ["actors/a.cpp:1"])

    def test_a_line_has_100_columns_at_most_counted_in_characters(self):
        self.assertEqual(self.rules(("config/a.cpp", "//" + "ä" * 98 + "\n")), [])
        self.assertEqual(self.rules(("config/a.cpp", "\n//" + "a" * 99 + "\n")),
                         ["config/a.cpp:2"])

    def test_blanks_at_the_end_tabs_and_marks_of_unfinished_work_are_refused(self):
        self.assertEqual(self.rules(("config/a.cpp", "int i; \n\tint j;\n// TO" "DO: more\n")),
                         ["config/a.cpp:1", "config/a.cpp:2", "config/a.cpp:3"])

    def test_a_header_is_guarded(self):
        self.assertEqual(self.rules(("config/a.hpp", "int i;\n")), ["config/a.hpp:1"])
        self.assertEqual(self.rules(("config/a.hpp", "#pragma once\n")), [])

    def test_a_source_includes_its_own_header_first_and_the_project_last(self):
        header = ("config/a.hpp", "#pragma once\n")
        self.assertEqual(self.rules(header, (
            "config/a.cpp", '#include "config/a.hpp"\n\n#include <map>\n\n#include "config/b.hpp"\n'
        )), [])
        self.assertEqual(self.rules(header, (
            "config/a.cpp", '#include <map>\n#include "config/a.hpp"\n')), ["config/a.cpp:1"])
        self.assertEqual(self.rules(header, (
            "config/a.cpp", '#include "config/a.hpp"\n#include "config/b.hpp"\n#include <map>\n'
        )), ["config/a.cpp:3"])

    def test_a_test_may_include_what_it_tests_first(self):
        self.assertEqual(self.rules((
            "tests/config/a_test.cpp", '#include "config/a.hpp"\n\n#include <map>\n')), [])
        self.assertEqual(self.rules((
            "tests/config/a_test.cpp",
            '#include "config/a.hpp"\n#include "config/b.hpp"\n#include <map>\n')),
            ["tests/config/a_test.cpp:3"])

    def test_a_name_says_something(self):
        self.assertEqual(self.rules(
            ("runtime/string_utils.cpp", ""), ("runtime/common/a.cpp", ""),
            ("runtime/detailed_report.cpp", "")),
            ["runtime/common/a.cpp:1", "runtime/string_utils.cpp:1"])

    def test_data_and_prose_are_exempt(self):
        self.assertEqual(self.rules(
            ("config/dimd.toml", "x" * 200 + "\n"), ("config/README.md", "x" * 200 + "\n")), [])


class FindFunctions(unittest.TestCase):
    def names(self, text):
        return [(found.name, found.length) for found in find_functions(text)]

    def test_types_namespaces_and_values_are_no_functions(self):
        self.assertEqual(self.names(
            "namespace dim::a {\nstruct s : base<int> {\n  int i = 0;\n};\n"
            "enum class e : int { one };\nconst std::map<int, int> m = {{1, 2}};\n"
            "const auto f = make(arguments{1});\nint array[] = {\n 1 };\n}\n"), [])

    def test_methods_constructors_and_operators_are_functions(self):
        self.assertEqual(self.names(
            "struct s {\n  s() : a_{1}, b_(2) {\n  }\n  bool operator==(const s&) const {\n"
            "    return [] { return true; }();\n  }\npublic:\n  int a = 1;\n};\n"),
            [("s", 2), ("operator==", 3)])

    def test_templates_default_arguments_and_trailing_types_are_seen(self):
        self.assertEqual(self.names(
            "template <class T>\nauto f(T x = {}, int y = 1) -> std::vector<T> {\n  for (;;) {\n"
            "  }\n}\n"), [("f", 5)])

    def test_braces_in_text_and_comments_do_not_count(self):
        self.assertEqual(self.names(
            "int f() {\n  // }\n  g(\"}\", '}', R\"x(})x\", 1'000);\n  /* } */\n}\n"), [("f", 5)])

    def test_a_test_case_is_a_function(self):
        self.assertEqual(self.names('TEST_CASE("it holds") {\n  CHECK(true);\n}\n'),
                         [("TEST_CASE", 3)])


if __name__ == "__main__":
    unittest.main()
