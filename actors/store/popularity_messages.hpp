#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Which models are asked for most, as it is stored over a restart.
namespace dim::actors {

/// A version of a model, and how often it is asked for: its requests, of which older ones count
/// less, in thousandths.
struct popular_model {
  std::string model;
  std::string version;
  std::uint64_t score_thousandths = 0;

  bool operator==(const popular_model&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, popular_model& x) {
  return f(x.model, x.version, x.score_thousandths);
}

/// The most popular first.
struct popular_models {
  std::vector<popular_model> models;

  bool operator==(const popular_models&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, popular_models& x) {
  return f(x.models);
}

/// ROUTER asks QUERIES at its start.
struct load_popularity {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_popularity&) {
  return f();
}

}  // namespace dim::actors
