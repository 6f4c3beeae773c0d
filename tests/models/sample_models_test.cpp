#include <cstdlib>
#include <fstream>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "models/aggregate.hpp"
#include "models/cabinet.hpp"
#include "models/class_scores.hpp"
#include "models/model.hpp"
#include "models/reduce.hpp"
#include "models/repository.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using nlohmann::json;

namespace {

constexpr std::uint64_t batch_rows = 100;

/// What `sample-models` has written, made once for all test cases.
struct sample_files {
  sample_files() {
    const std::string program = std::string{DIM_BINARY_DIR} + "/bin/sample-models";
    const std::string command = program + " --rows 400 --out " + folder.path().string() + " > "
                                + (folder / "log").string() + " 2>&1";
    status = std::system(command.c_str());
  }
  json read(const std::string& name) const {
    std::ifstream file(folder.path() / "samples" / name);
    return json::parse(file);
  }
  models::repository repository() const {
    auto opened = models::repository::open({folder / "models", 1 << 30, 1});
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }
  models::model load(const std::string& name) const {
    const auto models = repository();
    const auto entry = models.find(name, "");
    REQUIRE(entry.has_value());
    auto loaded =
      models::model::load(models.path_of(entry->digest).value(), entry->spec, "cpu:0", 1);
    REQUIRE(loaded.has_value());
    return std::move(*loaded);
  }
  models::model_spec spec(const std::string& name) const {
    return repository().find(name, "")->spec;
  }
  tests::temporary_folder folder;
  int status = -1;
};

const sample_files& samples() {
  static const sample_files made;
  REQUIRE(made.status == 0);
  return made;
}

models::tensor pixels_of(const json& digit, const char* member) {
  return tests::floats("x", {1, 64}, digit.at(member).get<std::vector<float>>());
}

/// One node's part of a collaborative job.
models::reduced_outputs reduce_node(models::model& risk, const std::string& node) {
  const auto cabinet =
    models::cabinet::open(samples().folder.path() / "cabinets" / node / "patients");
  REQUIRE(cabinet.has_value());
  CHECK(cabinet->name() == "patients");
  auto reader = cabinet->read();
  REQUIRE(reader.has_value());
  auto reducer = models::row_reducer::create({}, true).value();
  for (;;) {
    const auto batch = reader->next(batch_rows);
    REQUIRE(batch.has_value());
    if (batch->empty())
      break;
    REQUIRE(reducer.add(risk.run(*batch, false).value()).has_value());
  }
  CHECK(reducer.rows() == cabinet->rows());
  return reducer.finish().value();
}

}  // namespace

TEST_CASE("the sample models make a repository without a problem") {
  const auto models = samples().repository();
  CHECK(models.problems().empty());
  std::set<std::string> names;
  for (const auto& entry : models.list())
    names.insert(entry.name + ":" + entry.version);
  CHECK(names
        == std::set<std::string>{"digits-cnn:1", "digits-linear:1", "digits-mlp:1", "risk:1",
                                 "simple:1", "simple_identity:1", "simple_string:1",
                                 "standardize:1"});
}

TEST_CASE("every classifier gives the sample digits the labels that are expected") {
  const auto digits = samples().read("digits.json").at("digits");
  const auto expected = samples().read("expected.json").at("digits");
  REQUIRE(digits.size() == 10);
  for (const std::string name : {"digits-linear", "digits-mlp", "digits-cnn"}) {
    CAPTURE(name);
    auto classifier = samples().load(name);
    for (std::size_t index = 0; index < digits.size(); ++index) {
      const auto outputs = classifier.run({pixels_of(digits[index], "x")}, false);
      REQUIRE(outputs.has_value());
      const std::string label = models::label_of(*outputs, samples().spec(name)).value();
      CHECK(label == expected[index].at(name).get<std::string>());
      CHECK(label == std::to_string(digits[index].at("label").get<int>()));
      CHECK(label == expected[index].at("majority").get<std::string>());
    }
  }
}

TEST_CASE("standardize gives from raw pixels what the classifiers take") {
  auto standardize = samples().load("standardize");
  for (const json& digit : samples().read("digits.json").at("digits")) {
    const auto outputs = standardize.run({pixels_of(digit, "raw")}, false);
    REQUIRE(outputs.has_value());
    CHECK(outputs->front().name == "x");
    CHECK(tests::elements_of<float>(outputs->front())
          == tests::elements_of<float>(pixels_of(digit, "x")));
  }
}

TEST_CASE("the nodes' reduced risks join to the mean over all rows") {
  const json expected = samples().read("expected.json");
  auto risk = samples().load("risk");
  std::vector<models::reduced_outputs> answers;
  for (const json& node : expected.at("nodes")) {
    answers.push_back(reduce_node(risk, node.at("name").get<std::string>()));
    CHECK(answers.back().rows == node.at("rows").get<std::uint64_t>());
    CHECK(tests::elements_of<double>(answers.back().outputs.front()).front()
          == doctest::Approx(node.at("mean_risk").get<double>()).epsilon(1e-6));
  }
  const auto joined = models::aggregate({}, answers);
  REQUIRE(joined.has_value());
  CHECK(joined->front().name == "risk");
  const double mean = tests::elements_of<double>(joined->front()).front();
  CHECK(mean == doctest::Approx(expected.at("mean_risk").get<double>()).epsilon(1e-6));
  CHECK(mean > 0.01);
  CHECK(mean < 0.99);
}

TEST_CASE("the program says how many held-out digits each classifier gets right") {
  std::ifstream file(samples().folder.path() / "log");
  const std::string log{std::istreambuf_iterator<char>(file), {}};
  for (const std::string name : {"digits-linear", "digits-mlp", "digits-cnn", "risk"})
    CHECK_MESSAGE(log.find(name) != std::string::npos, log);
  CHECK(log.find("of held-out digits right") != std::string::npos);
}
