#include "models/model_spec.hpp"

#include <algorithm>
#include <set>

namespace dim::models {

namespace {

constexpr std::size_t model_name_max = 128;
constexpr std::size_t version_digits_max = 18;

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

const tensor_spec* find_declared(const model_spec& spec, const std::string& name) {
  const auto found = std::find_if(spec.inputs.begin(), spec.inputs.end(),
                                  [&](const tensor_spec& each) { return each.name == name; });
  return found == spec.inputs.end() ? nullptr : &*found;
}

std::string names_of(const std::vector<tensor_spec>& declared) {
  std::string text;
  for (const tensor_spec& each : declared)
    text += (text.empty() ? "" : ", ") + each.name;
  return text;
}

/// One input's check; `path` is "inputs[0]".
class input_check {
public:
  input_check(const model_spec& spec, const tensor_spec& declared, const tensor& given,
              std::string path, std::vector<std::string>& problems)
    : spec_(spec), declared_(declared), given_(given), path_(std::move(path)), problems_(problems) {
  }

  void run() {
    if (given_.type != declared_.type)
      add(".datatype", "expected " + std::string{to_string(declared_.type)} + ", got "
                         + std::string{to_string(given_.type)});
    else if (check_shape())
      check_data();
  }

private:
  bool check_shape() {
    const std::size_t first_dim = spec_.max_batch_size > 0 ? 1 : 0;
    const std::size_t rank = declared_.dims.size() + first_dim;
    if (given_.shape.size() != rank) {
      add(".shape", "expected " + std::to_string(rank)
                      + (rank == 1 ? " dimension" : " dimensions") + ", got "
                      + std::to_string(given_.shape.size()));
      return false;
    }
    bool is_good = true;
    if (first_dim == 1
        && (given_.shape.front() < 1 || given_.shape.front() > spec_.max_batch_size)) {
      add_dim(0, "expected 1 to " + std::to_string(spec_.max_batch_size) + " rows");
      is_good = false;
    }
    for (std::size_t index = 0; index < declared_.dims.size(); ++index) {
      const std::int64_t wanted = declared_.dims[index];
      const std::int64_t got = given_.shape[index + first_dim];
      if (wanted == -1 ? got >= 0 : got == wanted)
        continue;
      add_dim(index + first_dim,
              "expected " + (wanted == -1 ? std::string{"0 or more"} : std::to_string(wanted)));
      is_good = false;
    }
    return is_good;
  }

  void check_data() {
    const auto count = element_count(given_.shape);
    if (!count)
      return add(".shape", count.error().message);
    if (!given_.is_detached()) {
      if (const auto checked = check_size(given_); !checked)
        add(".data", checked.error().message);
      else if (given_.type == datatype::boolean)
        check_truths();
      return;
    }
    const std::size_t size = size_of(given_.type);
    if (size > 0 && (given_.byte_size % size != 0 || given_.byte_size / size != *count))
      add(".data", "expected " + std::to_string(*count) + " elements of " + std::to_string(size)
                     + " bytes, got " + std::to_string(given_.byte_size) + " bytes");
  }

  void check_truths() {
    const std::string_view data = given_.data.view();
    const auto wrong =
      std::find_if(data.begin(), data.end(), [](char c) { return c != 0 && c != 1; });
    if (wrong != data.end())
      add(".data[" + std::to_string(wrong - data.begin()) + "]",
          "expected 0 or 1, got " + std::to_string(static_cast<unsigned char>(*wrong)));
  }

  void add_dim(std::size_t index, const std::string& words) {
    add(".shape[" + std::to_string(index) + "]",
        words + ", got " + std::to_string(given_.shape[index]));
  }

  void add(const std::string& member, const std::string& words) {
    problems_.push_back(path_ + member + ": " + words);
  }

  const model_spec& spec_;
  const tensor_spec& declared_;
  const tensor& given_;
  std::string path_;
  std::vector<std::string>& problems_;
};

/// Every input must have as many rows as the first; only asked where shapes fit by themselves.
void check_equal_rows(const tensor_list& inputs, std::vector<std::string>& problems) {
  for (std::size_t index = 1; index < inputs.size(); ++index)
    if (inputs[index].shape.front() != inputs.front().shape.front())
      problems.push_back("inputs[" + std::to_string(index) + "].shape[0]: expected "
                         + std::to_string(inputs.front().shape.front())
                         + " rows as in inputs[0], got "
                         + std::to_string(inputs[index].shape.front()));
}

}  // namespace

bool is_model_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > model_name_max || !is_letter_or_digit(name.front()))
    return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-';
  });
}

bool is_plain_file_name(std::string_view name) noexcept {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos;
}

bool is_version(std::string_view version) noexcept {
  if (version.empty() || version.size() > version_digits_max || version.front() == '0')
    return false;
  return std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> check_inputs(const model_spec& spec, const tensor_list& inputs) {
  std::vector<std::string> problems;
  std::set<std::string> given;
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const std::string path = "inputs[" + std::to_string(index) + "]";
    const tensor_spec* declared = find_declared(spec, inputs[index].name);
    if (declared == nullptr)
      problems.push_back(path + ".name: the model has no input \"" + inputs[index].name
                         + "\"; it has " + names_of(spec.inputs));
    else if (!given.insert(declared->name).second)
      problems.push_back(path + ".name: \"" + declared->name + "\" is given twice");
    else
      input_check(spec, *declared, inputs[index], path, problems).run();
  }
  for (const tensor_spec& declared : spec.inputs)
    if (!declared.is_optional && !given.contains(declared.name))
      problems.push_back("inputs: \"" + declared.name + "\" is missing");
  if (problems.empty() && inputs.empty() && !spec.inputs.empty())
    problems.push_back("inputs: expected at least one of " + names_of(spec.inputs));
  if (problems.empty() && spec.max_batch_size > 0)
    check_equal_rows(inputs, problems);
  return problems;
}

std::int64_t row_count(const model_spec& spec, const tensor_list& inputs) {
  if (spec.max_batch_size == 0 || inputs.empty() || inputs.front().shape.empty())
    return 1;
  return inputs.front().shape.front();
}

}  // namespace dim::models
