#!/usr/bin/env python3
"""Runs a build tree's tests with ctest and sums their test cases.

A doctest program counts as many cases as it reports, a script counts as one. A program that
crashes, runs out of time, is missing or fails without a failed case counts at least one failure.
The last line is "N passed, N failed".
"""

import argparse
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

SUMMARY = re.compile(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed")
# Enough for the whole output of any test: a summary cut off would lose its counts.
OUTPUT_MAX = str(64 * 1024 * 1024)
PARALLEL = "2"


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree", help="build tree, for instance build/dev")
    parser.add_argument("--only", metavar="REGEX", help="tests whose name matches")
    parser.add_argument("--long", action="store_true", help="tests labelled `long` as well")
    return parser.parse_args(arguments)


def selection(options):
    """The ctest arguments that choose the tests."""
    chosen = ["ctest", "--test-dir", options.tree]
    if options.only:
        chosen += ["-R", options.only]
    if not options.long:
        chosen += ["-LE", "^long$"]
    return chosen


def labels_of_tests(options):
    """Name -> labels of every chosen test."""
    listing = subprocess.run(selection(options) + ["--show-only=json-v1"], check=True,
                             capture_output=True, text=True).stdout
    found = {}
    for test in json.loads(listing)["tests"]:
        properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])}
        found[test["name"]] = properties.get("LABELS", [])
    return found


def run(options, report):
    """Runs the chosen tests; ctest shows their progress and the output of those that fail."""
    if os.path.exists(report):
        os.remove(report)
    subprocess.run(selection(options) + [
        "-j", PARALLEL, "--output-on-failure", "--output-junit", report,
        "--test-output-size-passed", OUTPUT_MAX, "--test-output-size-failed", OUTPUT_MAX,
    ], stderr=subprocess.STDOUT, check=False)


def count(is_doctest, succeeded, output):
    """(passed, failed) cases of one test."""
    if not is_doctest:
        return (1, 0) if succeeded else (0, 1)
    summaries = SUMMARY.findall(output)
    if not summaries:
        return 0, 1
    total, passed, failed = (int(number) for number in summaries[-1])
    if not succeeded or total == 0:
        failed = max(failed, 1)
    return passed, failed


def tally(labels, report):
    """Sums the cases of all tests in `labels`; those that the report does not hold have failed."""
    results = {}
    if os.path.exists(report):
        for case in xml.parse(report).getroot().iter("testcase"):
            results[case.get("name")] = case
    passed = failed = 0
    for name, its_labels in labels.items():
        case = results.get(name)
        if case is None:
            passed_here, failed_here = 0, 1
        else:
            output = case.findtext("system-out") or ""
            passed_here, failed_here = count("doctest" in its_labels,
                                             case.get("status") == "run", output)
        if failed_here:
            print(f"failed: {name} ({passed_here} passed, {failed_here} failed)")
        passed += passed_here
        failed += failed_here
    return passed, failed


def main():
    options = parse_arguments(sys.argv[1:])
    labels = labels_of_tests(options)
    report = os.path.abspath(os.path.join(options.tree, "tests.xml"))
    if labels:
        run(options, report)
        passed, failed = tally(labels, report)
    else:
        print("no test matches")
        passed, failed = 0, 1
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
