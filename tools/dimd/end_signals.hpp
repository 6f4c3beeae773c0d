#pragma once

#include <csignal>

/// The signals that end a daemon. Each is to be blocked, so that `sigwait` takes it.
namespace dim::tools {

/// Somebody asks for the end: SIGTERM and SIGINT. A second one is an order not to wait.
sigset_t orders_to_end();

/// Those, and SIGHUP: the terminal is gone. Not that one where whoever started this process has it
/// ignored (`nohup`), because the process is to outlive its terminal.
sigset_t reasons_to_end();

}  // namespace dim::tools
