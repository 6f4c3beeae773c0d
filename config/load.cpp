#include "config/load.hpp"

#include <iterator>

#include <unistd.h>

#include "config/draft.hpp"
#include "config/flags.hpp"
#include "config/print.hpp"

namespace dim::config {

namespace {

/// The file that flag or environment name; empty for none.
std::string file_of(const command_line& flags, const environment& variables) {
  auto named = variables.find("DIM_CONFIG");
  return flags.file.empty() && named != variables.end() ? named->second : flags.file;
}

draft read_all(command_line& flags, const environment& variables) {
  draft result;
  if (auto file = file_of(flags, variables); !file.empty())
    read_file(file, result);
  read_environment(variables, result);
  for (const auto& [option, text] : flags.values)
    result.apply_text(*option, text, "--" + option->name());
  std::move(flags.problems.begin(), flags.problems.end(), std::back_inserter(result.problems));
  check_together(result);
  return result;
}

}  // namespace

environment process_environment() {
  environment result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string text = *entry;
    auto equals = text.find('=');
    if (equals != text.npos)
      result.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

load_result load(int argc, const char* const* argv, const environment& variables) {
  auto flags = parse_command_line(argc, argv);
  if (!flags.answer.empty())
    return {{}, {}, std::move(flags.answer)};
  auto all = read_all(flags, variables);
  load_result result{std::move(all.values), std::move(all.problems), {}};
  if (!result.problems.empty())
    return result;
  if (flags.print_config)
    result.answer = print(result.values);
  else if (flags.check_config)
    result.answer = "The configuration has no problems.\n";
  resolve(result.values);
  return result;
}

int report(const load_result& result, std::ostream& out, std::ostream& err) {
  for (const auto& x : result.problems)
    err << x.where << ": " << x.what << '\n';
  if (result.problems.size() > 1)
    err << result.problems.size() << " problems in the configuration\n";
  if (!result.problems.empty())
    return 2;
  out << result.answer << std::flush;
  return 0;
}

}  // namespace dim::config
