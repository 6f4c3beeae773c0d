#include "tools/sample_models/sample_files.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "models/npy_file.hpp"
#include "tools/sample_models/glyphs.hpp"
#include "tools/sample_models/model_folder.hpp"

namespace dim::tools {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr double raw_span = 255;

/// The shortest text that reads back as the same number.
std::string text_of(float value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

std::string manifest(const std::string& file, const std::string& more) {
  return "name = \"patients\"\ndescription = \"Invented patient records\"\n\n[[tensors]]\n"
         "name = \"x\"\ndatatype = \"FP32\"\nshape = ["
         + std::to_string(patient_columns.size()) + "]\nfile = \"" + file + "\"\n" + more;
}

void write_array(const fs::path& folder, const torch::Tensor& records) {
  std::string text = models::npy_header_of(models::datatype::fp32, records.sizes().vec());
  text.append(static_cast<const char*>(records.data_ptr()), records.nbytes());
  write_file(folder / "records.npy", text);
  write_file(folder / "cabinet.toml", manifest("records.npy", ""));
}

void write_table(const fs::path& folder, const torch::Tensor& records) {
  std::string text;
  for (const std::string_view column : patient_columns)
    text += (text.empty() ? "" : ",") + std::string{column};
  const auto* values = records.data_ptr<float>();
  for (std::int64_t row = 0; row < records.size(0); ++row)
    for (std::size_t column = 0; column < patient_columns.size(); ++column)
      text += (column == 0 ? "\n" : ",") + text_of(*values++);
  write_file(folder / "records.csv", text + "\n");
  write_file(folder / "cabinet.toml", manifest("records.csv", ""));
}

/// A table as a ward would export it: with a number and a remark, its columns in an order of its
/// own.
void write_export(const fs::path& folder, const torch::Tensor& records) {
  std::string text = "record,remark";
  std::string columns = "columns = [";
  for (auto column = patient_columns.rbegin(); column != patient_columns.rend(); ++column)
    text += "," + std::string{*column};
  for (const std::string_view column : patient_columns)
    columns += (columns.back() == '[' ? "\"" : ", \"") + std::string{column} + "\"";
  const auto* values = records.data_ptr<float>();
  for (std::int64_t row = 0; row < records.size(0); ++row, values += patient_columns.size()) {
    text += "\n" + std::to_string(row + 1) + ",\"seen, well\"";
    for (std::size_t column = patient_columns.size(); column > 0; --column)
      text += "," + text_of(values[column - 1]);
  }
  write_file(folder / "export.csv", text + "\n");
  write_file(folder / "cabinet.toml", manifest("export.csv", columns + "]\n"));
}

/// The label of every row, by each classifier.
std::vector<torch::Tensor> labels_by(std::vector<sample_model>& classifiers,
                                     const torch::Tensor& brightness) {
  const torch::NoGradGuard no_gradients;
  std::vector<torch::Tensor> labels;
  for (sample_model& each : classifiers)
    labels.push_back(each.module.forward({brightness}).toTensor().argmax(1));
  return labels;
}

std::string majority_of(const std::map<std::int64_t, int>& votes) {
  auto best = votes.begin();
  for (auto it = votes.begin(); it != votes.end(); ++it)
    if (it->second > best->second)
      best = it;
  return std::to_string(best->first);
}

/// One held-out digit of each class that all classifiers get right.
std::vector<std::int64_t> choose_digits(const digit_set& held_out,
                                        const std::vector<torch::Tensor>& labels) {
  std::vector<std::int64_t> chosen;
  for (std::int64_t digit = 0; digit < digit_classes; ++digit) {
    torch::Tensor right = held_out.labels.eq(digit);
    for (const torch::Tensor& each : labels)
      right = right.logical_and(each.eq(digit));
    const torch::Tensor found = right.nonzero();
    if (found.size(0) == 0)
      throw std::runtime_error("no held-out digit " + std::to_string(digit)
                               + " is labelled rightly by every classifier");
    chosen.push_back(found[0][0].item<std::int64_t>());
  }
  return chosen;
}

json expected_risk(sample_model& risk, const std::vector<ward_records>& wards) {
  json result;
  double sum = 0;
  std::int64_t rows = 0;
  for (const ward_records& each : wards) {
    const double mean = mean_risk(risk.module, each.records);
    const std::int64_t count = each.records.size(0);
    result["nodes"].push_back({{"name", each.seen.node}, {"rows", count}, {"mean_risk", mean}});
    sum += mean * static_cast<double>(count);
    rows += count;
  }
  result["rows"] = rows;
  result["mean_risk"] = sum / static_cast<double>(rows);
  return result;
}

}  // namespace

void write_cabinets(const fs::path& folder, const std::vector<ward_records>& wards) {
  using writer = void (*)(const fs::path&, const torch::Tensor&);
  constexpr std::array<writer, 3> writers{write_array, write_table, write_export};
  for (std::size_t index = 0; index < wards.size(); ++index)
    writers[index % writers.size()](folder / wards[index].seen.node / "patients",
                                    wards[index].records);
}

void write_samples(const fs::path& folder, const digit_set& held_out,
                   std::vector<sample_model>& classifiers, sample_model& risk,
                   const std::vector<ward_records>& wards) {
  const std::vector<torch::Tensor> labels = labels_by(classifiers, held_out.brightness);
  json digits = {{"input", "x"}, {"shape", {1, digit_pixels}}, {"digits", json::array()}};
  json expected = expected_risk(risk, wards);
  for (const std::int64_t row : choose_digits(held_out, labels)) {
    const torch::Tensor pixels = held_out.brightness[row];
    json digit = {{"label", held_out.labels[row].item<std::int64_t>()}};
    for (std::int64_t index = 0; index < pixels.size(0); ++index) {
      const auto value = pixels[index].item<float>();
      digit["x"].push_back(value);
      digit["raw"].push_back(std::lround(value * raw_span));
    }
    digits["digits"].push_back(std::move(digit));
    json answers;
    std::map<std::int64_t, int> votes;
    for (std::size_t model = 0; model < classifiers.size(); ++model) {
      const auto label = labels[model][row].item<std::int64_t>();
      answers[classifiers[model].spec.name] = std::to_string(label);
      ++votes[label];
    }
    answers["majority"] = majority_of(votes);
    expected["digits"].push_back(std::move(answers));
  }
  write_file(folder / "digits.json", digits.dump(1) + "\n");
  write_file(folder / "expected.json", expected.dump(1) + "\n");
}

}  // namespace dim::tools
