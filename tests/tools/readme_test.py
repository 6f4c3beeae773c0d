#!/usr/bin/env python3
"""Every file that README.md names is there, and every function that it traces is in its file."""

import os
import re
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PATH = re.compile(r"`([\w./-]+\.(?:[ch]pp|py|md))`")
WORD = re.compile(r"`([\w:]+)`")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def section(title):
    return read("README.md").split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title):
    """The cells of each row of the table in a section, without its heading."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [line.strip("|").split("|") for line in lines[2:]]


def paths_in(cell):
    """Files named in a cell; a bare name lies in the folder of the one before it."""
    found, folder = [], ""
    for path in PATH.findall(cell):
        path = path if "/" in path else os.path.join(folder, path)
        folder = os.path.dirname(path)
        found.append(path)
    return found


class Readme(unittest.TestCase):
    def test_every_function_of_the_trace_is_in_its_files(self):
        for _, files, functions in rows("The way of a request"):
            text = "".join(read(path) + self.header_of(path) for path in paths_in(files))
            names = WORD.findall(functions)
            self.assertTrue(names, files)
            for name in names:
                self.assertRegex(text, rf"\b{name.split('::')[-1]}\b", files)

    def test_every_file_and_folder_to_change_is_there(self):
        places = [place for row in rows("To change")
                  for place in re.findall(r"`([a-z_]+/[\w./]*)`", row[1])]
        self.assertGreater(len(places), 10)
        for place in places:
            self.assertTrue(os.path.exists(os.path.join(ROOT, place)), place)

    def test_every_link_leads_to_a_file_or_folder(self):
        links = re.findall(r"\]\(([\w./-]+)\)", read("README.md"))
        self.assertGreater(len(links), 5)
        for link in links:
            self.assertTrue(os.path.exists(os.path.join(ROOT, link)), link)

    @staticmethod
    def header_of(path):
        header = os.path.splitext(path)[0] + ".hpp"
        return read(header) if os.path.exists(os.path.join(ROOT, header)) else ""


if __name__ == "__main__":
    unittest.main()
