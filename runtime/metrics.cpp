#include "runtime/metrics.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "runtime/random_source.hpp"

namespace dim::runtime {

namespace {

/// Of the histograms that are counted here, in seconds.
const prometheus::Histogram::BucketBoundaries& seconds_buckets() {
  static const auto bounds = [] {
    prometheus::Histogram::BucketBoundaries result;
    for (auto bound : duration_bounds_us)
      result.push_back(static_cast<double>(bound) / 1'000'000);
    return result;
  }();
  return bounds;
}

std::vector<std::string> label_names(const metric_row& row) {
  std::vector<std::string> names;
  auto rest = row.labels;
  while (!rest.empty()) {
    auto end = std::min(rest.find(','), rest.size());
    names.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

/// The names of a family's labels, if `values` are as many.
std::vector<std::string> names_for(const metric_row& row, const label_values& values) {
  auto names = label_names(row);
  if (names.size() != values.size())
    throw std::invalid_argument{std::string{row.name} + " has the labels " +
                                std::string{row.labels}};
  return names;
}

prometheus::Labels labels_of(const metric_row& row, const label_values& values) {
  auto names = names_for(row, values);
  prometheus::Labels labels;
  for (std::size_t index = 0; index < names.size(); ++index)
    labels[names[index]] = values[index];
  return labels;
}

prometheus::MetricType type_of(metric_kind kind) {
  return kind == metric_kind::counter ? prometheus::MetricType::Counter
         : kind == metric_kind::gauge ? prometheus::MetricType::Gauge
                                      : prometheus::MetricType::Histogram;
}

const metric_row& row_of_kind(metric family, metric_kind kind) {
  auto& row = row_of(family);
  if (row.kind != kind)
    throw std::invalid_argument{std::string{row.name} + " is a " +
                                std::string{to_string(row.kind)}};
  return row;
}

prometheus::Registry& registry() {
  // Never destroyed: threads that outlive `main` may still count.
  static auto* const instance = new prometheus::Registry{};
  return *instance;
}

struct source_table {
  std::mutex mutex;
  std::map<std::uint64_t, metric_source> sources;
  std::uint64_t next = 0;
};

source_table& sources() {
  static auto* const instance = new source_table{};
  return *instance;
}

bool is_of_gateway(const std::string& name) {
  auto rows = metric_rows().first(static_cast<std::size_t>(metric::gateway_sent_bytes) + 1);
  return std::any_of(rows.begin(), rows.end(), [&](auto& row) { return row.name == name; });
}

std::string text_of(const std::vector<prometheus::MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> filled;
  std::copy_if(families.begin(), families.end(), std::back_inserter(filled),
               [](auto& family) { return !family.metric.empty(); });
  return prometheus::TextSerializer{}.Serialize(filled);
}

}  // namespace

void counter::add(double by) const noexcept {
  target_->Increment(by);
}

double counter::value() const noexcept {
  return target_->Value();
}

void gauge::set(double value) const noexcept {
  target_->Set(value);
}

void gauge::add(double by) const noexcept {
  target_->Increment(by);
}

void histogram::observe(double value) const {
  target_->Observe(value);
}

counter counter_of(metric family, const label_values& values) {
  auto& row = row_of_kind(family, metric_kind::counter);
  auto& all = prometheus::BuildCounter()
                .Name(std::string{row.name})
                .Help(std::string{row.help})
                .Register(registry());
  return counter{all.Add(labels_of(row, values))};
}

gauge gauge_of(metric family, const label_values& values) {
  auto& row = row_of_kind(family, metric_kind::gauge);
  auto& all = prometheus::BuildGauge()
                .Name(std::string{row.name})
                .Help(std::string{row.help})
                .Register(registry());
  return gauge{all.Add(labels_of(row, values))};
}

histogram histogram_of(metric family, const label_values& values) {
  auto& row = row_of_kind(family, metric_kind::histogram);
  auto& all = prometheus::BuildHistogram()
                .Name(std::string{row.name})
                .Help(std::string{row.help})
                .Register(registry());
  return histogram{all.Add(labels_of(row, values), seconds_buckets())};
}

metric_page::metric_page() {
  for (auto& row : metric_rows()) {
    auto& family = families_.emplace_back();
    family.name = row.name;
    family.help = row.help;
    family.type = type_of(row.kind);
  }
}

metric_page::~metric_page() = default;

prometheus::ClientMetric& metric_page::add_sample(metric family, const label_values& values) {
  auto names = names_for(row_of(family), values);
  auto& sample = families_[static_cast<std::size_t>(family)].metric.emplace_back();
  for (std::size_t index = 0; index < names.size(); ++index)
    sample.label.push_back({names[index], values[index]});
  return sample;
}

void metric_page::add(metric family, const label_values& values, double value) {
  auto& sample = add_sample(family, values);
  sample.counter.value = value;
  sample.gauge.value = value;
}

void metric_page::add(metric family, const label_values& values,
                      const duration_histogram& counted, double unit_us) {
  row_of_kind(family, metric_kind::histogram);
  auto& sample = add_sample(family, values).histogram;
  // What came from elsewhere may have any length.
  auto count_at = [&](std::size_t index) {
    return index < counted.counts.size() ? counted.counts[index] : 0;
  };
  std::uint64_t total = 0;
  for (std::size_t index = 0; index <= duration_bounds_us.size(); ++index) {
    total += count_at(index);
    auto bound = index < duration_bounds_us.size()
                   ? static_cast<double>(duration_bounds_us[index]) / unit_us
                   : std::numeric_limits<double>::infinity();
    sample.bucket.push_back({total, bound});
  }
  sample.sample_count = total;
  sample.sample_sum = static_cast<double>(counted.sum_us) / unit_us;
}

std::string metric_page::text() const {
  return text_of(families_);
}

std::shared_ptr<void> add_metric_source(metric_source source) {
  auto& table = sources();
  std::lock_guard guard{table.mutex};
  auto number = ++table.next;
  table.sources.emplace(number, std::move(source));
  return {nullptr, [number](void*) {
            auto& known = sources();
            std::lock_guard ending{known.mutex};
            known.sources.erase(number);
          }};
}

std::string metrics_text(metric_part part) {
  metric_page page;
  {
    auto& table = sources();
    std::lock_guard guard{table.mutex};
    for (auto& [number, source] : table.sources)
      source(page);
  }
  auto counted = registry().Collect();
  if (part == metric_part::without_gateway)
    std::erase_if(counted, [](auto& family) { return is_of_gateway(family.name); });
  return merge_metric_texts({text_of(counted), page.text()});
}

std::uint64_t process_number() {
  static const std::uint64_t number = seed_from_system();
  return number;
}

std::string merge_metric_texts(const std::vector<std::string>& texts) {
  constexpr std::string_view help_mark = "# HELP ";
  constexpr std::string_view mark = "# ";
  struct family_text {
    std::string head;
    std::string samples;
  };
  std::map<std::string, family_text, std::less<>> families;
  for (auto& text : texts) {
    family_text* current = nullptr;
    auto takes_head = false;
    for (std::string_view rest = text; !rest.empty();) {
      auto line = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
      rest.remove_prefix(line.size());
      if (line.starts_with(help_mark)) {
        auto name = line.substr(help_mark.size());
        current = &families[std::string{name.substr(0, name.find(' '))}];
        takes_head = current->head.empty();
      }
      if (current == nullptr)
        continue;
      if (!line.starts_with(mark))
        current->samples += line;
      else if (takes_head)
        current->head += line;
    }
  }
  std::string result;
  auto take_out = [&](auto position) {
    result += position->second.head + position->second.samples;
    families.erase(position);
  };
  for (auto& row : metric_rows())
    if (auto found = families.find(row.name); found != families.end())
      take_out(found);
  while (!families.empty())
    take_out(families.begin());
  return result;
}

}  // namespace dim::runtime
