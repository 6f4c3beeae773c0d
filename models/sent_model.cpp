#include "models/sent_model.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "models/triton_config.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

constexpr std::size_t path_bytes_max = 1'024;

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && std::none_of(name.begin(), name.end(), [](char c) {
    return c == '\\' || static_cast<unsigned char>(c) < 0x20;
  });
}

/// Whether it is "<version>/<file>", or "<file>" for one that belongs to all versions.
bool is_path(std::string_view path) {
  if (path.size() > path_bytes_max)
    return false;
  const bool has_folder = path.find('/') != std::string_view::npos;
  if (has_folder && !is_version(path.substr(0, path.find('/'))))
    return false;
  while (true) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (!is_plain_name(path.substr(0, end)))
      return false;
    if (end == path.size())
      return true;
    path.remove_prefix(end + 1);
  }
}

std::vector<std::string> check_paths(const sent_files& files) {
  std::vector<std::string> problems;
  if (files.size() > sent_files_max)
    problems.push_back("parameters: expected at most " + std::to_string(sent_files_max)
                       + " files, got " + std::to_string(files.size()));
  for (const auto& [path, data] : files)
    if (!is_path(path))
      problems.push_back("parameters.file:" + path + ": expected file:<version>/<filename>, with a "
                           "whole number from 1 up and plain names");
  return problems;
}

std::set<std::uint64_t> versions_of(const sent_files& files) {
  std::set<std::uint64_t> versions;
  for (const auto& [path, data] : files) {
    std::uint64_t number = 0;
    if (path.find('/') != std::string::npos)
      std::from_chars(path.data(), path.data() + path.size(), number);
    if (number > 0)
      versions.insert(number);
  }
  return versions;
}

/// The file, which is used from then on.
const runtime::bytes* take(const sent_files& files, const std::string& path,
                           std::set<std::string>& used) {
  const auto found = files.find(path);
  if (found == files.end())
    return nullptr;
  used.insert(path);
  return &found->second;
}

tl::unexpected<runtime::failure> missing(const std::string& path) {
  return runtime::fail(error_code::bad_input, "parameters.file:" + path
                                                + ": expected this file, which the configuration "
                                                  "asks for");
}

}  // namespace

bool has_version(const sent_files& files) {
  return std::any_of(files.begin(), files.end(), [](const auto& each) {
    return each.first.find('/') != std::string::npos;
  });
}

std::vector<std::string> read_labels(std::string_view text) {
  std::vector<std::string> labels;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    labels.emplace_back(line);
  }
  return labels;
}

runtime::expected<sent_model> read_sent_model(const std::string& name,
                                              const std::string& config_json,
                                              const sent_files& files) {
  if (!is_model_name(name))
    return runtime::fail(error_code::bad_input, "a model's name is 1 to 128 letters, digits, '.', "
                                                "'_' and '-', first a letter or digit");
  if (config_json.empty())
    return runtime::fail(error_code::bad_input,
                         "parameters.config: expected the model's configuration, which files that "
                         "are sent with a load need");
  if (auto problems = check_paths(files); !problems.empty())
    return runtime::fail(error_code::bad_input, problems.front(), problems);
  auto config = parse_whole_triton_json(config_json, name);
  if (!config)
    return tl::unexpected(std::move(config.error()));
  sent_model model;
  std::set<std::string> used;
  for (tensor_spec& output : config->spec.outputs) {
    const auto labels = config->label_files.find(output.name);
    if (labels == config->label_files.end())
      continue;
    const auto* file = take(files, labels->second, used);
    if (file == nullptr)
      return missing(labels->second);
    output.labels = read_labels(file->view());
  }
  model.spec = std::move(config->spec);
  for (const std::uint64_t version : versions_of(files)) {
    if (model.spec.kind != model_kind::torchscript) {
      model.versions.emplace(version, runtime::bytes::copy_of(to_toml(model.spec)));
      continue;
    }
    const std::string path = std::to_string(version) + "/" + model.spec.file_name;
    const auto* file = take(files, path, used);
    if (file == nullptr)
      return missing(path);
    model.versions.emplace(version, *file);
  }
  if (model.versions.empty())
    return runtime::fail(error_code::bad_input,
                         "parameters: expected a file of some version, such as file:1/"
                           + model.spec.file_name);
  for (const auto& [path, data] : files)
    if (!used.contains(path))
      model.unused.push_back(path);
  return model;
}

}  // namespace dim::models
