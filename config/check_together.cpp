#include "config/draft.hpp"
#include "config/text_rules.hpp"
#include "config/value.hpp"

namespace dim::config {

namespace {

/// Two whole numbers of one section, of which the first must not be the larger one.
struct order_rule {
  std::string_view section;
  std::string_view smaller;
  std::string_view larger;
};

constexpr order_rule orders[] = {
  {"cluster", "heartbeat_ms", "suspect_ms"},
  {"cluster", "suspect_ms", "lost_ms"},
  {"cluster", "rejoin_backoff_ms", "rejoin_backoff_max_ms"},
  {"orchestrator", "job_timeout_ms", "job_timeout_ms_max"},
  {"orchestrator", "retry_backoff_ms", "retry_backoff_max_ms"},
  {"supervision", "backoff_ms", "backoff_max_ms"},
  {"reputation", "floor", "initial"},
  {"registry", "quarantine_probe_ms", "quarantine_probe_max_ms"},
};

std::int64_t number_of(const descriptor& option, options& values) {
  return std::visit(
    [](auto* member) -> std::int64_t {
      using type = std::remove_pointer_t<decltype(member)>;
      if constexpr (std::is_integral_v<type>)
        return static_cast<std::int64_t>(*member);
      else
        return 0;
    },
    option.locate(values));
}

void check_order(const order_rule& rule, draft& target) {
  const auto* smaller = find_descriptor(rule.section, rule.smaller);
  const auto* larger = find_descriptor(rule.section, rule.larger);
  const auto low = number_of(*smaller, target.values);
  const auto high = number_of(*larger, target.values);
  if (low <= high)
    return;
  const bool is_smaller_set = target.origins.contains(smaller->name());
  target.problems.push_back(
    {target.where(is_smaller_set ? *smaller : *larger),
     "expected " + smaller->name() + " not to be larger than " + larger->name() + ", got "
       + std::to_string(low) + " and " + std::to_string(high)});
}

/// Where the first of the options that is set was set.
std::string place_of(std::initializer_list<const char*> keys, std::string_view section,
                     draft& target) {
  for (const auto* key : keys) {
    const auto* option = find_descriptor(section, key);
    if (target.origins.contains(option->name()))
      return target.where(*option);
  }
  return std::string{section};
}

void check_tls(draft& target) {
  const auto& tls = target.values.tls;
  const auto named = !tls.certificate.empty() + !tls.key.empty() + !tls.ca.empty();
  if (named != 0 && named != 3)
    target.problems.push_back(
      {place_of({"certificate", "key", "ca"}, "tls", target),
       "expected all three of tls.certificate, tls.key and tls.ca, or none of them"});
  const auto& bind = target.values.cluster.bind;
  if (named == 0 && !is_loopback(bind) && has_role(target.values, "orchestrator"))
    target.problems.push_back(
      {place_of({"bind"}, "cluster", target),
       "expected a loopback address, because [tls] names no certificate, got \"" + bind + "\""});
}

}  // namespace

void check_together(draft& target) {
  check_tls(target);
  for (const auto& rule : orders)
    check_order(rule, target);
}

}  // namespace dim::config
