#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/router/messages.hpp"
#include "actors/router/route_table.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// One version of a model with one configuration, as ROUTER knows it.
struct served_route {
  std::shared_ptr<const model_entry> entry;
  /// As records name it.
  runtime::shared_text name;
  runtime::shared_text version;
  serving_state state = serving_state::unknown;
  std::string reason;
  route_shares shares;
  /// Requests under way.
  std::uint32_t outstanding = 0;
  /// The change of the nodes at which it was looked for cold ones last.
  std::uint64_t spread_at = 0;
  /// Of the version, whatever its configuration.
  std::shared_ptr<model_statistics> counts;
};
using route_pointer = std::shared_ptr<served_route>;

/// What may be asked for: names, versions, aliases. Pure.
///
/// A version whose file and configuration stay as they are keeps its route, and with it what is
/// known of its nodes; its statistics it keeps for ever.
class served_table {
public:
  /// Takes what MODELS says. An older revision than the present one is ignored.
  void replace(const served_models& news);

  /// The route of a name or alias, and a version ("" is the highest that is ready). Errors:
  /// model_not_found; unavailable (known, but not ready).
  runtime::expected<route_pointer> find(const std::string& model, const std::string& version) const;

  /// The route of this version and configuration, whether it may be asked for or not yet.
  route_pointer route_of(const model_entry& entry);

  /// The route of a version with this file and configuration; null when there is none.
  route_pointer find_file(const std::string& model, const std::string& version,
                          const std::string& digest, std::uint32_t revision) const;

  /// Statistics by name and version, both of which may be empty. Errors: model_not_found.
  runtime::expected<model_statistics_list> statistics(const std::string& model,
                                                      const std::string& version) const;

  /// The versions that answer a request of the route now, with their files and configurations, in
  /// words: one, and of an ensemble those of its steps as well.
  std::string answered_by(const served_route& route) const;

  /// Every route that is known.
  const std::map<std::string, route_pointer>& routes() const noexcept {
    return routes_;
  }

private:
  struct served_name {
    /// By number.
    std::map<std::uint64_t, route_pointer> versions;
  };

  void take(const std::vector<served_version>& versions);
  /// Adds the routes that an ensemble's steps go to now, and theirs, each once.
  void add_members(const served_route& ensemble, std::vector<route_pointer>& members) const;

  std::uint64_t revision_ = 0;
  std::map<std::string, served_name> names_;
  std::map<std::string, model_alias> aliases_;
  /// By name, version, digest and revision.
  std::map<std::string, route_pointer> routes_;
  std::map<std::pair<std::string, std::uint64_t>, std::shared_ptr<model_statistics>> counts_;
};

}  // namespace dim::actors
