#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "models/model_spec.hpp"
#include "runtime/digest.hpp"

namespace dim::actors {

/// Which configuration of a model has which revision; see `model_entry::revision`. The first one
/// of a name has 0. Any other has a number that no configuration had before it, of no model: also
/// after the model was removed, or when its configuration was edited while nobody ran. One that
/// stays keeps its number over restarts. Without actors; the `serving_table` owns it, and MODELS
/// keeps it on the disk.
class serving_revisions {
public:
  serving_revisions() = default;

  /// Goes on from `text`, as `text()` has given it. New numbers are above `floor` too: the time in
  /// seconds, so that a text that is lost or old brings back no number that was given before.
  serving_revisions(const std::string& text, std::uint32_t floor) {
    std::istringstream lines(text);
    lines >> last_ >> has_forgotten_;
    std::string name;
    record each;
    while (lines >> each.revision >> each.digest >> name) {
      last_ = std::max(last_, each.revision);
      records_.insert_or_assign(name, each);
    }
    last_ = std::max(last_, floor);
  }

  std::string text() const {
    std::string text = std::to_string(last_) + (has_forgotten_ ? " 1\n" : " 0\n");
    for (const auto& [name, each] : records_)
      text += std::to_string(each.revision) + " " + each.digest + " " + name + "\n";
    return text;
  }

  /// A number that no configuration has had.
  std::uint32_t next() noexcept {
    return ++last_;
  }

  /// The number of this configuration, if it is the one that the model has; else a new one, which
  /// the model does not have yet.
  std::uint32_t planned(const std::string& name, const models::model_spec& spec) {
    const auto found = records_.find(name);
    if (found == records_.end())
      return has_forgotten_ ? next() : 0;
    return is_of(found->second, spec) ? found->second.revision : next();
  }

  /// The number of this configuration, which the model has from now on.
  std::uint32_t of(const std::string& name, const models::model_spec& spec) {
    const auto found = records_.find(name);
    if (found == records_.end() || !is_of(found->second, spec))
      set(name, spec, planned(name, spec));
    return records_.at(name).revision;
  }

  void set(const std::string& name, const models::model_spec& spec, std::uint32_t revision) {
    records_.insert_or_assign(name, record{digest_of(spec), revision, spec});
  }

  bool has(const std::string& name) const {
    return records_.contains(name);
  }

  bool has(const std::string& name, std::uint32_t revision) const {
    const auto found = records_.find(name);
    return found != records_.end() && found->second.revision == revision;
  }

  /// Agents that start from now on are told from those of any other configuration, although the
  /// model keeps its own; so are those of one that is not there yet.
  void renew(const std::string& name) {
    records_[name].revision = next();
  }

  /// Forgets some of the models that `names`, a map by name, does not have, when they are many.
  /// From then on a name that is not known may be one of those, and never begins with 0.
  template <class Names>
  void forget_some(const Names& names) {
    std::size_t absent = 0;
    const auto forgotten = std::erase_if(records_, [&](const auto& each) {
      return !names.contains(each.first) && ++absent > absent_max;
    });
    has_forgotten_ = has_forgotten_ || forgotten > 0;
  }

private:
  static constexpr std::size_t absent_max = 4'096;

  struct record {
    /// Of the configuration; no digest: none has this number.
    std::string digest = "-";
    std::uint32_t revision = 0;
    /// What has the digest, once it was seen.
    std::optional<models::model_spec> spec = {};
  };

  static std::string digest_of(const models::model_spec& spec) {
    return runtime::sha256_hex(models::to_toml(spec));
  }

  static bool is_of(record& known, const models::model_spec& spec) {
    if (known.spec)
      return *known.spec == spec;
    if (known.digest != digest_of(spec))
      return false;
    known.spec = spec;
    return true;
  }

  std::uint32_t last_ = 0;
  bool has_forgotten_ = false;
  std::map<std::string, record> records_;
};

}  // namespace dim::actors
