#include "tools/scenario/score_change.hpp"

#include <nlohmann/json.hpp>

namespace dim::scenario {

std::optional<score_change> score_change_of(const logged_event& event) {
  if (event.kind != "reputation_changed")
    return std::nullopt;
  const auto detail = nlohmann::json::parse(event.detail, nullptr, false);
  if (!detail.is_object())
    return std::nullopt;
  const auto points = detail.find("points");
  const auto score = detail.find("score");
  if (points == detail.end() || score == detail.end() || !points->is_number()
      || !score->is_number())
    return std::nullopt;
  const auto reason = detail.find("reason");
  const auto is_text = reason != detail.end() && reason->is_string();
  return score_change{points->get<double>(), score->get<double>(),
                      is_text ? reason->get<std::string>() : std::string{}};
}

}  // namespace dim::scenario
