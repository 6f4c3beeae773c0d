#include "gateway/handlers/metrics.hpp"

#include <algorithm>
#include <memory>

#include "gateway/metrics_page.hpp"

namespace dim::gateway {

namespace {

using runtime::expected;

constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";
/// Less than Prometheus itself waits: a page without the cluster is better than none.
constexpr std::chrono::milliseconds source_timeout{5'000};

/// One page on its way: it is sent when the last source has answered or failed. Everything runs on
/// the strand of the exchange.
class scrape : public std::enable_shared_from_this<scrape> {
public:
  scrape(const handler_context& context, exchange_ptr exchange)
    : context_(context), exchange_(std::move(exchange)) {
  }

  void start() {
    ask<runtime::process_metrics>("orchestrator", runtime::get_process_metrics{},
                                  &metrics_page::add_process);
    ask<actors::cluster_status>("cluster", actors::get_cluster_status{}, &metrics_page::add_status);
    ask<actors::node_list>("nodes", actors::list_nodes{}, &metrics_page::add_nodes);
    ask<actors::model_statistics_list>("models", actors::get_model_statistics{},
                                       &metrics_page::add_models);
  }

private:
  template <class Reply, class Message>
  void ask(const char* source, Message question, void (metrics_page::*add)(const Reply&)) {
    ++open_;
    context_.bridge.ask<Reply>(exchange_, std::move(question),
                               std::min(source_timeout, context_.request_timeout),
                               [self = shared_from_this(), source, add](expected<Reply> reply) {
                                 if (reply)
                                   (self->page_.*add)(*reply);
                                 self->page_.add_source(source, reply.has_value());
                                 self->finish_one();
                               });
  }

  void finish_one() {
    if (--open_ > 0)
      return;
    page_.add_machine();
    http_reply answer;
    answer.content_type = content_type;
    answer.body = page_.text();
    exchange_->reply(std::move(answer));
  }

  const handler_context& context_;
  exchange_ptr exchange_;
  metrics_page page_;
  int open_ = 0;
};

}  // namespace

void add_metrics_routes(router& routes, const handler_context& context) {
  routes.add({"GET", "/metrics", [&context](exchange_ptr exchange) {
                std::make_shared<scrape>(context, std::move(exchange))->start();
              }});
}

}  // namespace dim::gateway
