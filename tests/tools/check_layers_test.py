#!/usr/bin/env python3
"""Plants includes that break a rule, and includes that only look like it, for check_layers.py."""

import unittest

from planted_tree import PlantedTree, import_tools

import_tools()
import check_layers  # noqa: E402 (the path is set above)


class CheckLayers(unittest.TestCase):
    def rules(self, *files):
        """The violations, as "path:line", in a tree of these (path, text) files."""
        with PlantedTree() as tree:
            for path, text in files:
                tree.write(path, text)
            return [f"{path}:{line}" for path, line, _ in check_layers.check(tree.root)]

    def test_a_folder_may_include_itself_and_what_is_below(self):
        self.assertEqual(self.rules(
            ("config/options.hpp", ""), ("runtime/log.hpp", '#include "config/options.hpp"\n'),
            ("runtime/log.cpp", '#include "runtime/log.hpp"\n#include <spdlog/spdlog.h>\n')), [])

    def test_a_folder_may_not_include_what_is_above(self):
        self.assertEqual(self.rules(
            ("runtime/log.hpp", ""),
            ("config/options.hpp", '#pragma once\n\n#include "runtime/log.hpp"\n')),
            ["config/options.hpp:3"])

    def test_only_tests_may_include_tests(self):
        self.assertEqual(self.rules(
            ("tests/support/clock.hpp", ""),
            ("tests/runtime/a_test.cpp", '#include "tests/support/clock.hpp"\n'),
            ("tools/dim/main.cpp", '#include "tests/support/clock.hpp"\n')),
            ["tools/dim/main.cpp:1"])

    def test_includes_are_paths_from_the_root_and_exist(self):
        self.assertEqual(self.rules(
            ("runtime/log.hpp", ""), ("runtime/log.cpp", '#include "log.hpp"\n'),
            ("runtime/ids.cpp", '#include "runtime/ids.hpp"\n')),
            ["runtime/ids.cpp:1", "runtime/log.cpp:1"])

    def test_actors_of_other_folders_are_known_by_interface_message_and_record(self):
        self.assertEqual(self.rules(
            ("actors/job/interface.hpp", ""), ("actors/job/messages.hpp", ""),
            ("actors/job/job_record.hpp", ""), ("actors/job/dispatcher.hpp", ""),
            ("actors/store/queries.cpp",
             '#include "actors/job/interface.hpp"\n#include "actors/job/messages.hpp"\n'
             '#include "actors/job/job_record.hpp"\n#include "actors/job/dispatcher.hpp"\n')),
            ["actors/store/queries.cpp:4"])

    def test_a_parent_may_include_the_child_that_it_spawns_and_nobody_else_may(self):
        include = '#include "actors/engine/engine.hpp"\n'
        self.assertEqual(self.rules(
            ("actors/engine/engine.hpp", ""), ("actors/job/job.cpp", include),
            ("actors/job/dispatcher.cpp", include)),
            ["actors/job/dispatcher.cpp:1"])

    def test_the_gateway_knows_no_actor_but_the_program_that_composes_them_does(self):
        include = '#include "actors/job/dispatcher.hpp"\n'
        self.assertEqual(self.rules(
            ("actors/job/dispatcher.hpp", ""), ("gateway/actor_bridge.cpp", include),
            ("tools/dimd/tree.cpp", include)),
            ["gateway/actor_bridge.cpp:1"])

    def test_caf_is_not_seen_in_config_and_models(self):
        self.assertEqual(self.rules(
            ("config/a.cpp", "#include <caf/all.hpp>\n"),
            ("models/a.cpp", "# include <caf/fwd.hpp>\n"),
            ("runtime/a.cpp", "#include <caf/all.hpp>\n")),
            ["config/a.cpp:1", "models/a.cpp:1"])

    def test_libtorch_is_seen_only_by_the_sources_of_its_target(self):
        include = "#include <torch/script.h>\n"
        self.assertEqual(self.rules(
            ("models/CMakeLists.txt", "dim_library(models SOURCES tensor.cpp LINKS x)\n"
             "dim_library(models_torch\n  SOURCES\n    model.cpp\n  LINKS PUBLIC x)\n"),
            ("models/model.cpp", include), ("models/model.hpp", include),
            ("models/tensor.cpp", include), ("tools/dim/main.cpp", include),
            ("tools/sample_models/main.cpp", include), ("tests/models/a_test.cpp", include)),
            ["models/model.hpp:1", "models/tensor.cpp:1", "tools/dim/main.cpp:1"])

    def test_the_database_is_seen_by_one_file(self):
        include = "#include <lmdb.h>\n"
        self.assertEqual(self.rules(
            ("runtime/store.cpp", include), ("runtime/store_two.cpp", include),
            ("tests/runtime/store_test.cpp", include)),
            ["runtime/store_two.cpp:1", "tests/runtime/store_test.cpp:1"])

    def test_http_is_seen_by_server_session_and_client_only(self):
        include = "#include <boost/beast/http.hpp>\n"
        self.assertEqual(self.rules(
            ("gateway/server.cpp", include), ("gateway/http_session.cpp", include),
            ("gateway/handlers/jobs.cpp", include), ("tools/dim/client.cpp", include)),
            ["gateway/handlers/jobs.cpp:1"])

    def test_an_unlisted_library_is_refused_and_system_headers_are_not(self):
        self.assertEqual(self.rules(
            ("runtime/a.cpp", "#include <Eigen/Core>\n#include <sys/stat.h>\n"
             "#include <unistd.h>\n#include <vector>\n")), ["runtime/a.cpp:1"])


if __name__ == "__main__":
    unittest.main()
