#include "config/flags.hpp"

#include <algorithm>
#include <map>

#include <CLI/CLI.hpp>

#include "config/suggestion.hpp"
#include "config/value.hpp"

namespace dim::config {

namespace {

/// `--a=b` as two arguments, because CLI11 takes `--a=` for a flag without value.
std::vector<std::string> split_arguments(int argc, const char* const* argv) {
  std::vector<std::string> result;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    auto equals = argument.starts_with("--") ? argument.find('=') : argument.npos;
    result.push_back(argument.substr(0, equals));
    if (equals != argument.npos)
      result.push_back(argument.substr(equals + 1));
  }
  return result;
}

std::string join(const std::vector<std::string>& parts) {
  std::string result;
  for (const auto& part : parts)
    result += (result.empty() ? "" : ",") + part;
  return result;
}

std::string help_of(const descriptor& option) {
  std::string result{option.meaning};
  if (!option.unit.empty())
    result += " In " + std::string{option.unit} + ".";
  const auto otherwise = to_toml(option, options{});
  if (otherwise != quoted("") && otherwise != "[]")
    result += " Default " + otherwise + ".";
  return result;
}

/// CLI11's parser with every option of the table, and what it has found.
class flag_parser {
public:
  flag_parser() : app_("The daemon of DIM, the Decentralized Inference Machine.", "dimd") {
    app_.allow_extras();
    app_.set_version_flag("--version", DIM_VERSION);
    app_.get_formatter()->column_width(44);
    app_.add_option("--config", result_.file, "Read options from this TOML file.")
      ->type_name("FILE");
    app_.add_flag("--check-config", result_.check_config, "Report every problem, and exit.");
    app_.add_flag("--print-config", result_.print_config,
                  "Print all options with their meaning as a TOML file, and exit.");
    for (const auto& option : descriptors())
      add(option);
  }

  command_line parse(int argc, const char* const* argv) {
    auto arguments = split_arguments(argc, argv);
    note_missing_value(arguments);
    std::reverse(arguments.begin(), arguments.end());  // As CLI11 wants them.
    try {
      app_.parse(arguments);
    } catch (const CLI::CallForHelp&) {
      result_.answer = app_.help();
    } catch (const CLI::CallForVersion&) {
      result_.answer = "dimd " DIM_VERSION "\n";
    } catch (const CLI::ParseError& error) {
      result_.problems.push_back({"command line", error.what()});
    }
    for (const auto& option : descriptors())
      if (auto found = texts_.find(&option); found != texts_.end())
        result_.values.emplace_back(&option, found->second);
    note_extras();
    return std::move(result_);
  }

private:
  void add(const descriptor& option) {
    options defaults;
    const bool is_list
      = std::holds_alternative<std::vector<std::string>*>(option.locate(defaults));
    CLI::callback_t store = [this, &option](const CLI::results_t& results) {
      texts_[&option] = join(results);
      return true;
    };
    app_.add_option("--" + option.name(), store, help_of(option))
      ->type_name("")
      ->group("[" + std::string{option.section} + "]")
      ->multi_option_policy(is_list ? CLI::MultiOptionPolicy::TakeAll
                                    : CLI::MultiOptionPolicy::TakeLast);
  }

  /// Only the last argument can lack its value. It goes away, so that CLI11 reads all others.
  void note_missing_value(std::vector<std::string>& arguments) {
    const bool is_known = !arguments.empty() && arguments.back().starts_with("--")
                          && app_.get_option_no_throw(arguments.back()) != nullptr;
    if (!is_known || app_.get_option_no_throw(arguments.back())->get_items_expected_min() == 0)
      return;
    result_.problems.push_back({arguments.back(), "expected a value"});
    arguments.pop_back();
  }

  /// An unknown flag takes the argument behind it along, which is most likely its value.
  void note_extras() {
    std::vector<std::string> known = {"--config", "--check-config", "--print-config", "--help"};
    for (const auto& option : descriptors())
      known.push_back("--" + option.name());
    bool was_flag = false;
    for (const auto& extra : app_.remaining()) {
      const bool is_flag = extra.starts_with("-");
      if (is_flag)
        result_.problems.push_back({extra, "unknown flag" + suggestion(extra, known)});
      else if (!was_flag)
        result_.problems.push_back({extra, "expected a flag, got an argument"});
      was_flag = is_flag;
    }
  }

  CLI::App app_;
  command_line result_;
  std::map<const descriptor*, std::string> texts_;
};

}  // namespace

command_line parse_command_line(int argc, const char* const* argv) {
  return flag_parser{}.parse(argc, argv);
}

}  // namespace dim::config
