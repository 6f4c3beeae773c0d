#include "actors/router/popularity.hpp"

#include <algorithm>
#include <cmath>

namespace dim::actors {

namespace {

constexpr double thousandth = 0.001;
// A score beyond it is no number of requests.
constexpr std::uint64_t score_max = std::uint64_t{1} << 50;

std::uint64_t in_thousandths(double score) {
  return static_cast<std::uint64_t>(
    std::min(std::round(score / thousandth), static_cast<double>(score_max)));
}

}  // namespace

void popularity::restore(const popular_models& stored) {
  for (const popular_model& each : stored.models)
    scores_[{each.model, each.version}] +=
      static_cast<double>(std::min(each.score_thousandths, score_max)) * thousandth;
  forget_least();
}

void popularity::note_total(const std::string& model, const std::string& version,
                            std::uint64_t total, std::int64_t now_ms) {
  fade(now_ms);
  if (total == 0)
    return;
  std::uint64_t& known = totals_[{model, version}];
  const std::uint64_t more = total < known ? total : total - known;
  known = total;
  if (more == 0)
    return;
  scores_[{model, version}] += static_cast<double>(more);
  forget_least();
}

void popularity::fade(std::int64_t now_ms) {
  if (now_ms <= faded_ms_)
    return;
  const double passed = static_cast<double>(now_ms - faded_ms_);
  const double factor = std::exp2(-passed / static_cast<double>(half_life_ms_));
  faded_ms_ = now_ms;
  for (auto& [name, score] : scores_)
    score *= factor;
  forget_least();
}

void popularity::forget_least() {
  std::erase_if(scores_, [](const auto& each) { return each.second < thousandth; });
  while (scores_.size() > names_max)
    scores_.erase(std::min_element(scores_.begin(), scores_.end(), [](auto& one, auto& other) {
      return one.second < other.second;
    }));
}

popular_models popularity::best(std::size_t count) const {
  popular_models list;
  for (const auto& [name, score] : scores_)
    list.models.push_back({name.first, name.second, in_thousandths(score)});
  std::stable_sort(list.models.begin(), list.models.end(), [](auto& one, auto& other) {
    return one.score_thousandths > other.score_thousandths;
  });
  list.models.resize(std::min(count, list.models.size()));
  return list;
}

}  // namespace dim::actors
