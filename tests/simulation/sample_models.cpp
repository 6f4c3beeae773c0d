#include "tests/simulation/sample_models.hpp"

#include <cstring>
#include <fstream>
#include <string>

#include "models/model_spec.hpp"

namespace dim::simulation {

namespace {

constexpr std::size_t width = 4;

std::vector<float> numbers_of(const models::tensor& x) {
  std::vector<float> result(x.data.size() / sizeof(float));
  if (!result.empty())
    std::memcpy(result.data(), x.data.data(), result.size() * sizeof(float));
  return result;
}

models::tensor tensor_of(const char* name, const std::vector<float>& numbers) {
  std::vector<char> data(numbers.size() * sizeof(float));
  if (!numbers.empty())
    std::memcpy(data.data(), numbers.data(), data.size());
  auto rows = static_cast<std::int64_t>(numbers.size() / width);
  return models::make_tensor(name, models::datatype::fp32,
                             {rows, static_cast<std::int64_t>(width)}, std::move(data));
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream{path, std::ios::binary} << text;
}

/// How far this model leans towards each class: too little to turn a clear vote.
float lean_of(const std::string& model, std::size_t column) {
  return static_cast<float>(model.back() - 'a' + 1) * 0.001f * static_cast<float>(column + 1);
}

}  // namespace

const std::vector<std::string>& sample_model_names() {
  static const std::vector<std::string> names{"sim-a", "sim-b", "sim-c"};
  return names;
}

void write_sample_models(const std::filesystem::path& repository) {
  for (auto& name : sample_model_names()) {
    models::model_spec spec;
    spec.name = name;
    spec.max_batch_size = 8'192;
    spec.isolated = models::isolation::thread;
    spec.inputs = {{"x", models::datatype::fp32, {width}, {}}};
    spec.outputs = {{"y", models::datatype::fp32, {width}, {"north", "east", "south", "west"}}};
    write_file(repository / name / "config.toml", models::to_toml(spec));
    write_file(repository / name / "1" / "model.pt", "the model " + name);
  }
}

void write_sample_cabinet(const std::filesystem::path& folder, std::uint64_t number) {
  write_file(folder / "ward" / "cabinet.toml",
             "name = \"ward\"\n[[tensors]]\nname = \"x\"\ndatatype = \"FP32\"\n"
             "shape = [4]\nfile = \"rows.csv\"\n");
  std::string text = "a,b,c,d\n";
  auto numbers = numbers_of(sample_input(number, 3));
  for (std::size_t index = 0; index < numbers.size(); ++index)
    text += std::to_string(numbers[index]) + (index % width == width - 1 ? "\n" : ",");
  write_file(folder / "ward" / "rows.csv", text);
}

std::int64_t sample_rows(runtime::random_source& random, std::uint64_t large_in) {
  constexpr std::int64_t large_rows = 4'200;
  const bool is_large = large_in > 0 && random.below(large_in) == 0;
  return is_large ? large_rows : 1 + static_cast<std::int64_t>(random.below(3));
}

models::tensor sample_input(std::uint64_t number, std::int64_t rows) {
  runtime::random_source random{number * 2'654'435'761u + 1};
  std::vector<float> numbers(static_cast<std::size_t>(rows) * width);
  for (auto& each : numbers)
    each = static_cast<float>(random.below(1'000)) / 250.0f;
  return tensor_of("x", numbers);
}

models::tensor_list right_answer(const std::string& model, const models::tensor_list& inputs) {
  auto numbers = numbers_of(inputs.at(0));
  for (std::size_t index = 0; index < numbers.size(); ++index)
    numbers[index] = numbers[index] * 0.5f + lean_of(model, index % width);
  return {tensor_of("y", numbers)};
}

models::tensor_list wrong_answer(const std::string& model, const models::tensor_list& inputs,
                                 std::uint64_t number) {
  auto numbers = numbers_of(right_answer(model, inputs).at(0));
  for (auto& each : numbers)
    each += 100.0f + static_cast<float>(number % 1'000'003);
  return {tensor_of("y", numbers)};
}

}  // namespace dim::simulation
