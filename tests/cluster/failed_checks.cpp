#include "tests/cluster/failed_checks.hpp"

#include <atomic>

#include <doctest/doctest.h>

namespace dim::tests {

namespace {

std::atomic<std::size_t> failures{0};

/// doctest tells its listeners of every check that fails.
struct failure_counter : doctest::IReporter {
  explicit failure_counter(const doctest::ContextOptions&) {
  }
  void log_assert(const doctest::AssertData& data) override {
    failures += data.m_failed ? 1 : 0;
  }
  void log_message(const doctest::MessageData& data) override {
    failures += (data.m_severity & doctest::assertType::is_warn) != 0 ? 0 : 1;
  }
  void report_query(const doctest::QueryData&) override {
  }
  void test_run_start() override {
  }
  void test_run_end(const doctest::TestRunStats&) override {
  }
  void test_case_start(const doctest::TestCaseData&) override {
  }
  void test_case_reenter(const doctest::TestCaseData&) override {
  }
  void test_case_end(const doctest::CurrentTestCaseStats&) override {
  }
  void test_case_exception(const doctest::TestCaseException&) override {
    ++failures;
  }
  void subcase_start(const doctest::SubcaseSignature&) override {
  }
  void subcase_end() override {
  }
  void test_case_skipped(const doctest::TestCaseData&) override {
  }
};

REGISTER_LISTENER("failure_counter", 2, failure_counter);

}  // namespace

std::size_t failed_checks() {
  return failures;
}

}  // namespace dim::tests
