#!/usr/bin/env python3
"""Every line of a dashboard has the unit of what it shows, beside others in the same panel."""

import glob
import json
import os
import re
import unittest

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "config", "grafana")

# What an expression shows, by the first of these that is in it.
KINDS = [
    (r"^rate\(\w+_bytes_total", {"Bps"}),
    (r"^time\(\)|_seconds_bucket", {"s"}),
    (r"_duration_us", {"µs"}),
    (r"nv_inference_count", {"short"}),
    (r"^rate|\(rate\(", {"ops", "reqps", "short"}),
    (r"_bytes / |_ratio$|_utilization$|consensus_reached|avg_over_time", {"percentunit"}),
    (r"_bytes\)?$", {"bytes"}),
    (r"", {"short", "bool"}),
]


def kind_of(expression):
    return next(units for pattern, units in KINDS if re.search(pattern, expression))


def unit_of(panel, target):
    """The unit of one target: that of an override by its letter, or of the panel."""
    settings = panel["fieldConfig"]
    for override in settings["overrides"]:
        if override["matcher"] == {"id": "byFrameRefID", "options": target["refId"]}:
            return next(x["value"] for x in override["properties"] if x["id"] == "unit")
    return settings["defaults"]["unit"]


def targets():
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.json"))):
        with open(path, encoding="utf-8") as file:
            for panel in json.load(file)["panels"]:
                for target in panel["targets"]:
                    yield os.path.basename(path), panel, target


class Dashboards(unittest.TestCase):
    def test_every_line_has_the_unit_of_what_it_shows(self):
        for name, panel, target in targets():
            with self.subTest(dashboard=name, panel=panel["title"], expr=target["expr"]):
                self.assertIn(unit_of(panel, target), kind_of(target["expr"]))

    def test_an_override_is_of_a_target_that_is_there(self):
        for name, panel, _ in targets():
            letters = {target["refId"] for target in panel["targets"]}
            for override in panel["fieldConfig"]["overrides"]:
                with self.subTest(dashboard=name, panel=panel["title"]):
                    self.assertIn(override["matcher"]["options"], letters)


if __name__ == "__main__":
    unittest.main()
