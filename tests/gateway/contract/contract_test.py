#!/usr/bin/env python3
"""Compares what the gateway says with its OpenAPI document.

The exchanges are those of the program `gateway_test`, which puts every route before an ENTRY from a
script and before one that fails, and those of a walk over a real daemon. Each must be as the
document says, and everything that the document says must have been met: every status of every
operation.
"""

import os
import subprocess
import tempfile
import unittest

from document import Document
from exchanges import Caller, read_record
from walk import run_daemon, walk

BUILD = os.environ.get("DIM_BUILD", "build/dev")


def exchanges_of_tests(folder):
    """What the doctest program says and hears."""
    record = os.path.join(folder, "exchanges")
    subprocess.run([os.path.join(BUILD, "tests/gateway_test")], check=True,
                   stdout=subprocess.DEVNULL, env={**os.environ, "DIM_EXCHANGES": record})
    return list(read_record(record))


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.recorded = exchanges_of_tests(folder)
            with run_daemon(os.path.join(BUILD, "bin/dimd"), folder) as port:
                caller = Caller(port)
                cls.document = Document(caller.ask("GET", "/openapi.json").answer)
                walk(caller, folder)
                cls.walked = caller.exchanges

    def assert_described(self, exchanges):
        found = {}
        for each in exchanges:
            for complaint in self.document.complaints(each):
                found.setdefault(f"{each.method} {self.document.operation_of(each)}: {complaint}",
                                 each)
        words = [f"{complaint}\n    {each}\n    {each.answer[:300]!r}"
                 for complaint, each in found.items()]
        self.assertFalse(words, "\n" + "\n".join(words[:40]))

    def test_the_document_is_sound(self):
        self.assertEqual(list(self.document.flaws()), [])

    def test_what_a_real_daemon_says_is_what_the_document_says(self):
        self.assertGreater(len(self.walked), 100)
        self.assert_described(self.walked)

    def test_what_the_routes_say_before_a_scripted_entry_is_what_the_document_says(self):
        self.assertGreater(len(self.recorded), 1000)
        self.assert_described(self.recorded)

    def test_every_status_of_every_operation_has_been_met(self):
        met = {(self.document.operation_of(each), str(each.status))
               for each in self.walked + self.recorded}
        described = {(key, status) for key, operation in self.document.operations.items()
                     for status in operation["responses"] if status != "default"}
        missing = sorted(f"{method} {path}: {status}"
                         for (method, path), status in described - met)
        self.assertFalse(missing, "\n" + "\n".join(missing))

    def test_a_real_daemon_has_done_well_on_every_operation(self):
        done = {self.document.operation_of(each) for each in self.walked if each.status < 300}
        self.assertEqual(sorted(set(self.document.operations) - done), [])

    def test_what_is_not_described_is_noticed(self):
        """The judge itself: each damage to a good exchange must be seen."""
        good = next(each for each in self.walked if each.target == "/v2/models/adder"
                    and each.status == 200)
        self.assertEqual(list(self.document.complaints(good)), [])
        for damage in ({"answer": good.answer[:-1] + b',"extra":1}'}, {"status": 418},
                       {"answer": good.answer.replace(b'"platform"', b'"plat"')},
                       {"answer_fields": {"content-type": "text/html"}},
                       {"method": "POST"}, {"target": "/v2/elsewhere"}):
            damaged = type(good)(**{**good.__dict__, **damage})
            self.assertTrue(list(self.document.complaints(damaged)), damage)


if __name__ == "__main__":
    unittest.main()
