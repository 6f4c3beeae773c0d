#!/usr/bin/env python3
"""Gives the judges of tools/run right and wrong answers: they must tell one from the other."""

import copy
import unittest

from planted_tree import import_tools

import_tools("cluster")
import answers  # noqa: E402 (the path is set above)

DIGIT = {"label": 2, "x": [0.5] * 64, "raw": [128] * 64}
EXPECTED = {"mean_risk": 0.2, "rows": 5,
            "nodes": [{"name": "a", "rows": 2}, {"name": "b", "rows": 3}]}


def scores(best):
    return [{"data": [1.0 if digit == best else 0.0 for digit in range(10)]}]


class Judges(unittest.TestCase):
    def judge(self, case, result):
        return case.judge({"result": result}).is_right

    def assert_tells(self, case, right, **wrong):
        """`right` passes, and fails as soon as any one member is replaced."""
        self.assertTrue(self.judge(case, right))
        for name, value in wrong.items():
            changed = copy.deepcopy(right)
            changed[name] = value
            self.assertFalse(self.judge(case, changed), name)

    def test_a_label_is_the_place_of_the_highest_score(self):
        for case in (answers.single(DIGIT), answers.chained(DIGIT)):
            self.assert_tells(case, {"outputs": scores(2)}, outputs=scores(3))

    def test_a_replicated_answer_needs_two_nodes_that_agree_and_none_that_does_not(self):
        verified = {"reached": True, "votes": 3, "agreeing_nodes": ["a", "b"],
                    "disagreeing_nodes": []}
        right = {"outputs": scores(2), "verification": verified}
        self.assert_tells(answers.replicated(DIGIT), right, outputs=scores(3))
        for name, value in (("reached", False), ("agreeing_nodes", ["a", "a"]),
                            ("disagreeing_nodes", ["c"])):
            self.assert_tells(answers.replicated(DIGIT), right,
                              verification={**verified, name: value})

    def test_a_vote_needs_every_model(self):
        right = {"label": "2", "agreement_ratio": 1.0, "participants": [{}, {}, {}]}
        self.assert_tells(answers.comparative(DIGIT), right, label="3", participants=[{}, {}])

    def test_a_mean_needs_the_rows_of_every_node(self):
        right = {"outputs": [{"data": [0.2]}], "rows": 5, "partial": False,
                 "participants": [{"rows": 3}, {"rows": 2}]}
        self.assert_tells(answers.collaborative(EXPECTED), right,
                          outputs=[{"data": [0.20001]}], rows=4, partial=True,
                          participants=[{"rows": 5}])


if __name__ == "__main__":
    unittest.main()
