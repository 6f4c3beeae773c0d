"""A small source tree in a temporary folder, in which a test plants what a check has to find."""

import os
import sys
import tempfile


class PlantedTree:
    """Use as a context manager; `root` is the folder."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory()
        self.root = self._folder.name
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def write(self, path, text):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as target:
            target.write(text)


def import_tools(folder=""):
    """Puts the project's tools folder, or one in it, on the path of modules."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, os.path.join(here, "..", "..", "tools", folder))
