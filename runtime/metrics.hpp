#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/duration_histogram.hpp"
#include "runtime/metric_table.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
struct ClientMetric;
struct MetricFamily;
}  // namespace prometheus

/// What this process counts about itself, for Prometheus. There is one registry a process.
///
/// The handles are looked up once, by their labels, and kept: they live as long as the process, may
/// be used by any thread, and cost an atomic addition (a histogram: a lock of its own). Nothing is
/// decided by them.
namespace dim::runtime {

/// In the order of the family's labels.
using label_values = std::vector<std::string>;

class counter {
public:
  explicit counter(prometheus::Counter& target) : target_(&target) {
  }
  /// `by` is not negative.
  void add(double by = 1) const noexcept;
  double value() const noexcept;

private:
  prometheus::Counter* target_;
};

class gauge {
public:
  explicit gauge(prometheus::Gauge& target) : target_(&target) {
  }
  void set(double value) const noexcept;
  /// Negative values subtract.
  void add(double by) const noexcept;

private:
  prometheus::Gauge* target_;
};

class histogram {
public:
  explicit histogram(prometheus::Histogram& target) : target_(&target) {
  }
  void observe(double value) const;

private:
  prometheus::Histogram* target_;
};

/// The family must be of that kind, and have as many labels as there are `values`; otherwise these
/// throw `std::invalid_argument`, which no run of a correct program does.
counter counter_of(metric family, const label_values& values = {});
gauge gauge_of(metric family, const label_values& values = {});
histogram histogram_of(metric family, const label_values& values = {});

/// What is not counted here but known from elsewhere, gathered for one answer.
class metric_page {
public:
  metric_page();
  ~metric_page();
  metric_page(const metric_page&) = delete;
  metric_page& operator=(const metric_page&) = delete;

  /// `values` as above; each set of values at most once.
  void add(metric family, const label_values& values, double value);
  /// For a histogram, whose unit is `unit_us` microseconds.
  void add(metric family, const label_values& values, const duration_histogram& counted,
           double unit_us);

  /// Prometheus' text format 0.0.4, families in the order of the table.
  std::string text() const;

private:
  prometheus::ClientMetric& add_sample(metric family, const label_values& values);

  std::vector<prometheus::MetricFamily> families_;
};

/// Adds what is read only when somebody asks. Runs in the thread of whoever asks.
using metric_source = std::function<void(metric_page&)>;

/// Asked by `metrics_text` as long as the returned handle lives; its end waits for one that runs.
std::shared_ptr<void> add_metric_source(metric_source source);

/// A gateway shows its own requests and no other gateway's.
enum class metric_part : std::uint8_t { whole, without_gateway };

/// All that this process has counted, and what its sources add, as text.
std::string metrics_text(metric_part part = metric_part::whole);

/// Random, new for each process: tells whether two texts are of the same one.
std::uint64_t process_number();

/// Texts of several processes as one: each family once, under one help, with the samples of all. A
/// family that the table does not hold stands at the end.
std::string merge_metric_texts(const std::vector<std::string>& texts);

}  // namespace dim::runtime
