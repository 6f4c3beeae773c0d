#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <ATen/Parallel.h>
#include <torch/script.h>

#include "tools/sample_models/classifiers.hpp"
#include "tools/sample_models/model_folder.hpp"
#include "tools/sample_models/patients.hpp"
#include "tools/sample_models/sample_files.hpp"
#include "tools/sample_models/serving_models.hpp"

/// sample-models: trains small models and writes them with samples to run them on.
namespace {

using namespace dim;

constexpr std::int64_t training_digits = 8000;
constexpr std::int64_t held_out_digits = 2000;
constexpr double accuracy_min = 0.90;
constexpr double explained_min = 0.90;

struct options {
  std::string out;
  std::uint64_t seed = 7;
  std::int64_t rows = 4000;
  bool bench = false;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Prints a line of the table, and whether the model has reached what it must.
bool report(const std::string& name, const char* measure, double reached, double needed,
            double seconds) {
  std::printf("%-14s %-30s %6.2f %%  (more than %.0f %% needed)  %5.1f s\n", name.c_str(), measure,
              reached * 100, needed * 100, seconds);
  std::fflush(stdout);
  return reached > needed;
}

/// Writes the model; prints why it can not be used, if so.
bool keep(const std::filesystem::path& folder, tools::sample_model& model) {
  const auto written = tools::write_model(folder, model);
  if (!written)
    std::fprintf(stderr, "%s can not be used: %s\n", model.spec.name.c_str(),
                 written.error().message.c_str());
  return written.has_value();
}

/// Writes the models that are only served. A built-in one is its configuration.
bool keep_serving_models(const std::filesystem::path& folder, const options& chosen) {
  for (const models::model_spec& spec : tools::make_protocol_models())
    tools::write_file(folder / spec.name / "config.toml", models::to_toml(spec));
  bool is_good = true;
  if (chosen.bench)
    for (tools::sample_model& each : tools::make_bench_models())
      is_good = keep(folder, each) && is_good;
  return is_good;
}

/// The first ward has `rows` records, the second three quarters of that, the third half.
std::vector<tools::ward_records> make_wards(const options& chosen) {
  std::vector<tools::ward_records> wards;
  std::int64_t quarters = 4;
  for (const tools::ward& seen : tools::sample_wards()) {
    const std::int64_t count = std::max<std::int64_t>(chosen.rows * quarters / 4, 1);
    const std::uint64_t seed = chosen.seed + 200 + static_cast<std::uint64_t>(quarters);
    wards.push_back({seen, tools::make_patients(seen, count, seed).records});
    --quarters;
  }
  return wards;
}

bool make_everything(const options& chosen) {
  const std::filesystem::path out = chosen.out;
  torch::manual_seed(chosen.seed);
  const tools::digit_set training = tools::make_digits(training_digits, chosen.seed);
  const tools::digit_set held_out = tools::make_digits(held_out_digits, chosen.seed + 1);
  std::vector<tools::sample_model> classifiers = tools::make_classifiers();
  bool is_good = true;
  for (tools::sample_model& each : classifiers) {
    const auto start = std::chrono::steady_clock::now();
    tools::train_classifier(each.module, training);
    const double accuracy = tools::accuracy_of(each.module, held_out);
    is_good = report(each.spec.name, "of held-out digits right", accuracy, accuracy_min,
                     seconds_since(start))
              && is_good;
    is_good = keep(out / "models", each) && is_good;
  }
  const auto start = std::chrono::steady_clock::now();
  tools::sample_model risk = tools::make_risk(chosen.seed + 100);
  const tools::patient_set unseen =
    tools::make_patients(tools::sample_wards().front(), held_out_digits, chosen.seed + 150);
  is_good = report("risk", "of the variance explained",
                   tools::explained_share(risk.module, unseen), explained_min,
                   seconds_since(start))
            && is_good;
  tools::sample_model standardize = tools::make_standardize();
  is_good = keep(out / "models", risk) && is_good;
  is_good = keep(out / "models", standardize) && is_good;
  is_good = keep_serving_models(out / "models", chosen) && is_good;
  const std::vector<tools::ward_records> wards = make_wards(chosen);
  tools::write_cabinets(out / "cabinets", wards);
  tools::write_samples(out / "samples", held_out, classifiers, risk, wards);
  return is_good;
}

}  // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app{"Trains the sample models and writes <out>/models (a repository), <out>/samples "
               "(digits.json, expected.json) and <out>/cabinets/<node>/patients."};
  app.add_option("--out", chosen.out, "Folder to write to")->required();
  app.add_option("--seed", chosen.seed, "The same seed gives the same files")
    ->capture_default_str();
  app.add_option("--rows", chosen.rows,
                 "Rows of node-1's cabinet; node-2 has three quarters of them, node-3 half")
    ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000'000}))
    ->capture_default_str();
  app.add_flag("--bench", chosen.bench,
               "Also bench-mlp-large (1024-4096-4096-10), bench-cnn (10 ms a forward) and "
               "bench-mean (1 MiB a row)");
  CLI11_PARSE(app, argc, argv);
  // One thread adds in one order, so that the same seed gives the same models.
  at::set_num_threads(1);
  try {
    if (!make_everything(chosen))
      return 1;
    std::printf("written to %s\n", chosen.out.c_str());
    return 0;
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "sample-models: %s\n", thrown.what());
    return 1;
  }
}
