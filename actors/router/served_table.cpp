#include "actors/router/served_table.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace dim::actors {

namespace {

using runtime::error_code;

std::uint64_t number_of(const std::string& version) {
  std::uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

std::string key_of(const model_entry& entry) {
  return entry.name + ":" + entry.version + "@" + entry.digest + "+"
         + std::to_string(entry.revision);
}

tl::unexpected<runtime::failure> unknown(const std::string& model, const std::string& words) {
  return runtime::fail(error_code::model_not_found,
                       "Request for unknown model: '" + model + "' " + words);
}

}  // namespace

void served_table::replace(const served_models& news) {
  if (news.revision < revision_)
    return;
  revision_ = news.revision;
  aliases_ = news.aliases;
  take(news.versions);
}

void served_table::take(const std::vector<served_version>& versions) {
  names_.clear();
  for (auto& each : versions) {
    auto route = route_of(each.model);
    route->state = each.state;
    route->reason = each.reason;
    names_[each.model.name].versions[number_of(each.model.version)] = std::move(route);
  }
  std::erase_if(routes_, [this](const auto& each) {
    auto& route = *each.second;
    auto name = names_.find(route.entry->name);
    auto is_served = name != names_.end() &&
                     name->second.versions.contains(number_of(route.entry->version)) &&
                     name->second.versions.at(number_of(route.entry->version)) == each.second;
    // What is being prepared, still answers, or has agents to be stopped, is not forgotten.
    return !is_served && route.outstanding == 0 && route.state != serving_state::loading &&
           !route.shares.has_agents();
  });
}

route_pointer served_table::route_of(const model_entry& entry) {
  auto& route = routes_[key_of(entry)];
  if (!route) {
    route = std::make_shared<served_route>();
    route->state = serving_state::loading;
    route->name = entry.name;
    route->version = entry.version;
    auto& counts = counts_[{entry.name, number_of(entry.version)}];
    if (!counts) {
      counts = std::make_shared<model_statistics>();
      counts->model = entry.name;
      counts->version = entry.version;
    }
    route->counts = counts;
  }
  if (!route->entry || *route->entry != entry)
    route->entry = std::make_shared<const model_entry>(entry);
  return route;
}

route_pointer served_table::find_file(const std::string& model, const std::string& version,
                                      const std::string& digest,
                                      std::uint32_t revision) const {
  for (auto& [key, route] : routes_)
    if (route->entry->name == model && route->entry->version == version &&
        route->entry->digest == digest && route->entry->revision == revision)
      return route;
  return nullptr;
}

runtime::expected<route_pointer> served_table::find(const std::string& model,
                                                    const std::string& version) const {
  auto name = names_.find(model);
  auto wanted = &version;
  if (name == names_.end()) {
    auto alias = aliases_.find(model);
    if (alias != aliases_.end()) {
      name = names_.find(alias->second.model);
      if (version.empty())
        wanted = &alias->second.version;
    }
  }
  if (name == names_.end())
    return unknown(model, "is not found");
  auto& versions = name->second.versions;
  if (!wanted->empty()) {
    auto found = versions.find(number_of(*wanted));
    if (found == versions.end() || found->second->entry->version != *wanted)
      return unknown(model, "version " + *wanted + " is not found");
    if (found->second->state != serving_state::ready)
      return runtime::fail(error_code::unavailable, "Request for unknown model: '" + model
                                                      + "' version " + *wanted
                                                      + " is not at ready state");
    return found->second;
  }
  for (auto each = versions.rbegin(); each != versions.rend(); ++each)
    if (each->second->state == serving_state::ready)
      return each->second;
  return runtime::fail(error_code::unavailable,
                       "Request for unknown model: '" + model + "' has no available versions");
}

runtime::expected<model_statistics_list> served_table::statistics(
  const std::string& model, const std::string& version) const {
  model_statistics_list list;
  auto add = [&list](const route_pointer& route) {
    list.models.push_back(*route->counts);
    list.models.back().pending = route->outstanding;
  };
  auto alias = aliases_.find(model);
  auto& real = alias != aliases_.end() && !names_.contains(model) ? alias->second.model : model;
  std::vector<route_pointer> asked;
  for (auto& [name, served] : names_)
    if (real.empty() || name == real)
      for (auto& [number, route] : served.versions)
        if (version.empty() || route->entry->version == version)
          asked.push_back(route);
  if (!model.empty() && asked.empty())
    return unknown(model, version.empty() ? "is not found"
                                          : "version " + version + " is not found");
  // With an ensemble go the models of its steps.
  for (std::size_t place = 0, count = asked.size(); !real.empty() && place < count; ++place)
    add_members(*route_pointer{asked[place]}, asked);
  for (auto& each : asked)
    add(each);
  return list;
}

void served_table::add_members(const served_route& ensemble,
                               std::vector<route_pointer>& members) const {
  for (auto& step : ensemble.entry->spec.steps) {
    auto found = find(step.model, step.version);
    if (!found || std::find(members.begin(), members.end(), *found) != members.end())
      continue;
    members.push_back(*found);
    add_members(**found, members);
  }
}

std::string served_table::answered_by(const served_route& route) const {
  auto words = key_of(*route.entry);
  std::vector<route_pointer> members;
  add_members(route, members);
  for (auto& each : members)
    words += " " + key_of(*each->entry);
  return words;
}

}  // namespace dim::actors
