#pragma once

#include <string>
#include <vector>

#include "actors/router/messages.hpp"
#include "gateway/http_message.hpp"
#include "gateway/inference/inference_request.hpp"
#include "models/model_spec.hpp"

namespace dim::gateway {

/// How a request wants its answer.
struct answer_form {
  std::string id;
  std::vector<wanted_output> outputs;
  bool is_binary_output = false;
  /// What the model declares; only needed where an output is to be classified.
  models::model_spec spec;

  const wanted_output* wanted(const std::string& output) const;
  /// Whether this output goes as binary data, not as text.
  bool is_binary(const std::string& output) const;
};

/// The answer to an inference that succeeded. Tensors that are wanted as binary data stand behind
/// the JSON, as references to their bytes. Errors: bad_input for what JSON can not carry (FP16,
/// BF16, NaN, infinity, texts that are not UTF-8).
runtime::expected<http_reply> write_answer(const answer_form& form,
                                           const actors::inference_done& done);

/// The answer to an inference, or another request for a model, that failed: the protocol's words
/// and statuses for `why`. An empty `version` was not asked for.
http_reply model_failure_reply(runtime::failure why, const std::string& model,
                               const std::string& version);

}  // namespace dim::gateway
