#!/usr/bin/env python3
"""Feeds run_tests.py what ctest reports, for its counts must not call a failure success."""

import os
import unittest

from planted_tree import PlantedTree, import_tools

import_tools()
import run_tests  # noqa: E402 (the path is set above)

SUMMARY = "[doctest] test cases: {} | {} passed | {} failed | 0 skipped"


class Tally(unittest.TestCase):
    def tally(self, labels, cases):
        """The sum over (name, status, output) of `cases`, of which `labels` were asked for."""
        with PlantedTree() as tree:
            tree.write("tests.xml", "<testsuite>" + "".join(
                f'<testcase name="{name}" status="{status}"><system-out>{output}</system-out>'
                "</testcase>" for name, status, output in cases) + "</testsuite>")
            return run_tests.tally(labels, os.path.join(tree.root, "tests.xml"))

    def doctest(self, status, output):
        return self.tally({"a": ["doctest"]}, [("a", status, output)])

    def test_cases_of_all_programs_are_summed_and_a_script_is_one(self):
        self.assertEqual(self.tally({"a": ["doctest"], "b": ["doctest", "cluster"], "c": []}, [
            ("a", "run", SUMMARY.format(5, 5, 0)), ("b", "fail", SUMMARY.format(7, 4, 3)),
            ("c", "run", "fine")]), (10, 3))

    def test_a_program_that_ends_without_a_summary_has_failed_once(self):
        self.assertEqual(self.doctest("fail", "Segmentation fault"), (0, 1))
        self.assertEqual(self.doctest("run", ""), (0, 1))

    def test_a_program_that_fails_after_its_cases_passed_has_failed_once(self):
        self.assertEqual(self.doctest("fail", SUMMARY.format(5, 5, 0)), (5, 1))

    def test_a_program_in_which_no_case_ran_has_failed(self):
        self.assertEqual(self.doctest("run", SUMMARY.format(0, 0, 0)), (0, 1))

    def test_a_test_that_was_not_run_or_not_reported_has_failed(self):
        self.assertEqual(self.doctest("notrun", ""), (0, 1))
        self.assertEqual(self.tally({"a": []}, []), (0, 1))
        self.assertEqual(run_tests.tally({"a": []}, "/nowhere/tests.xml"), (0, 1))


if __name__ == "__main__":
    unittest.main()
