// The main of every test program. Two things that doctest calls success are failures here: a
// program in which no test case ran, and a test case that asserted nothing.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

namespace {

unsigned cases_run = 0;
unsigned cases_without_assertion = 0;

/// Counts what doctest's own summary does not fail on.
struct case_auditor : doctest::IReporter {
  explicit case_auditor(const doctest::ContextOptions&) {
  }
  void test_run_end(const doctest::TestRunStats& stats) override {
    cases_run = stats.numTestCasesPassingFilters;
  }
  void test_case_start(const doctest::TestCaseData& data) override {
    name = data.m_name;
  }
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (stats.numAssertsCurrentTest == 0) {
      ++cases_without_assertion;
      std::fprintf(stderr, "test case without an assertion: %s\n", name);
    }
  }
  void report_query(const doctest::QueryData&) override {
  }
  void test_run_start() override {
  }
  void test_case_reenter(const doctest::TestCaseData&) override {
  }
  void test_case_exception(const doctest::TestCaseException&) override {
  }
  void subcase_start(const doctest::SubcaseSignature&) override {
  }
  void subcase_end() override {
  }
  void log_assert(const doctest::AssertData&) override {
  }
  void log_message(const doctest::MessageData&) override {
  }
  void test_case_skipped(const doctest::TestCaseData&) override {
  }

  const char* name = "";
};

}  // namespace

REGISTER_LISTENER("case_auditor", 1, case_auditor);

int main(int argc, char** argv) {
  doctest::Context context;
  context.applyCommandLine(argc, argv);
  const int status = context.run();
  if (context.shouldExit()) {
    return status;
  }
  if (cases_run == 0) {
    std::fputs("no test case ran\n", stderr);
  }
  return status != 0 || cases_run == 0 || cases_without_assertion != 0 ? 1 : 0;
}
