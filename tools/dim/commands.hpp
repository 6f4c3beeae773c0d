#pragma once

#include <functional>

#include "tools/dim/session.hpp"

namespace CLI {
class App;
}

/// The commands of `dim`. Each `add_` function puts its subcommand on the command line; when that
/// is the one that was given, it puts what is to be done into `chosen`.
namespace dim::tools {

/// What was asked for; returns the exit status as a number.
using command = std::function<int(session&)>;

void add_submit(CLI::App& app, command& chosen);
void add_list(CLI::App& app, command& chosen);
void add_get(CLI::App& app, command& chosen);
void add_cancel(CLI::App& app, command& chosen);
void add_watch(CLI::App& app, command& chosen);
void add_nodes(CLI::App& app, command& chosen);
void add_node(CLI::App& app, command& chosen);
void add_backup(CLI::App& app, command& chosen);
void add_restore(CLI::App& app, command& chosen);
void add_models(CLI::App& app, command& chosen);
void add_push(CLI::App& app, command& chosen);
void add_remove(CLI::App& app, command& chosen);
void add_alias(CLI::App& app, command& chosen);
void add_stats(CLI::App& app, command& chosen);
void add_bench(CLI::App& app, command& chosen);
void add_ca(CLI::App& app, command& chosen);
void add_fault(CLI::App& app, command& chosen);

/// Follows a job to its end and prints it; returns the exit status that the job's end stands for.
int follow_job(session& with, const std::string& id);

}  // namespace dim::tools
