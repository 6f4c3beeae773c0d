"""Calls `dim`, the command line, as a person would, and reads its JSON."""

import json
import os
import subprocess

from processes import ClusterError

SECONDS_MAX = 180


class Command:
    def __init__(self, programs, url):
        self._program = os.path.join(programs, "dim")
        self._url = url

    def call(self, *arguments, text=None, may_fail=False):
        """The JSON that `dim ARGUMENTS` prints; `text` is its standard input."""
        done = subprocess.run([self._program, "--url", self._url, "--json", *arguments],
                              input=text, capture_output=True, text=True, timeout=SECONDS_MAX,
                              check=False)
        if done.returncode != 0 and not may_fail:
            raise ClusterError(f"dim {' '.join(arguments)} ended with status {done.returncode}: "
                               f"{done.stderr or done.stdout}")
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise ClusterError(f"dim {' '.join(arguments)} printed no JSON: "
                               f"{done.stdout}{done.stderr}") from error
