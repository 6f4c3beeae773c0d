#include "actors/store/backup_manifest.hpp"

#include <charconv>
#include <optional>

#include "runtime/digest.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::string_view first_line = "dim-backup 1\n";
constexpr std::string_view any_first_word = "dim-backup ";

/// Takes text up to `end` off the front of `rest`, and `end` with it.
std::optional<std::string_view> take_until(std::string_view& rest, char end) {
  auto place = rest.find(end);
  if (place == rest.npos)
    return std::nullopt;
  auto result = rest.substr(0, place);
  rest.remove_prefix(place + 1);
  return result;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc{} && end == text.data() + text.size();
}

/// Whether a path stays below the folder that it starts from.
bool is_inside(std::string_view path) {
  if (path.empty() || path.front() == '/')
    return false;
  while (!path.empty()) {
    auto part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..")
      return false;
    path.remove_prefix(std::min(path.size(), part.size() + 1));
  }
  return true;
}

bool read_file_line(std::string_view line, backup_manifest& manifest) {
  backup_file file;
  auto digest = take_until(line, ' ');
  auto size = take_until(line, ' ');
  if (!digest || !size || !runtime::is_digest(*digest) || !read_number(*size, file.byte_size)
      || !is_inside(line))
    return false;
  file.digest = *digest;
  file.path = line;
  manifest.files.push_back(std::move(file));
  return true;
}

bool read_line(std::string_view line, backup_manifest& manifest) {
  auto word = take_until(line, ' ');
  if (!word)
    return false;
  if (*word == "file")
    return read_file_line(line, manifest);
  if (*word == "cluster")
    manifest.cluster = line;
  else if (*word == "schema")
    return read_number(line, manifest.schema);
  else if (*word == "made_at")
    return read_number(line, manifest.made_at);
  else if (*word == "generation")
    return read_number(line, manifest.generation);
  else if (*word == "last_event")
    return read_number(line, manifest.last_event);
  else if (*word == "jobs")
    return read_number(line, manifest.jobs);
  return true;
}

tl::unexpected<runtime::failure> fail_damaged() {
  return runtime::fail(error_code::corrupt, "the manifest of the backup is damaged or cut short");
}

}  // namespace

std::uint64_t backup_manifest::byte_size() const {
  std::uint64_t result = 0;
  for (auto& file : files)
    result += file.byte_size;
  return result;
}

std::string to_text(const backup_manifest& manifest) {
  std::string text{first_line};
  auto add = [&text](std::string_view word, const std::string& value) {
    text += word;
    text += ' ' + value + '\n';
  };
  add("cluster", manifest.cluster);
  add("schema", std::to_string(manifest.schema));
  add("made_at", std::to_string(manifest.made_at));
  add("generation", std::to_string(manifest.generation));
  add("last_event", std::to_string(manifest.last_event));
  add("jobs", std::to_string(manifest.jobs));
  for (auto& file : manifest.files)
    add("file", file.digest + ' ' + std::to_string(file.byte_size) + ' ' + file.path);
  add("end", runtime::sha256_hex(text));
  return text;
}

runtime::expected<backup_manifest> manifest_from_text(std::string_view text) {
  if (!text.starts_with(any_first_word))
    return fail_damaged();
  if (!text.starts_with(first_line))
    return runtime::fail(error_code::unsupported,
                         "the backup was made by another version of this program");
  auto end = text.rfind("end ");
  if (end == text.npos
      || text.substr(end) != "end " + runtime::sha256_hex(text.substr(0, end)) + '\n')
    return fail_damaged();
  backup_manifest manifest;
  auto rest = text.substr(first_line.size(), end - first_line.size());
  while (!rest.empty()) {
    auto line = take_until(rest, '\n');
    if (!line || !read_line(*line, manifest))
      return fail_damaged();
  }
  return manifest;
}

}  // namespace dim::actors
