// lb top, lb metrics.
#include <thread>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "cli/top_view.h"

namespace lb::cli {
namespace {

constexpr std::chrono::milliseconds kInterval{1000};
// Lines of a screen that are not branches.
constexpr size_t kOtherRows = 8;

Result<Json> document_of_a_second(const Client& client) {
    Json before = LB_TRY(client.top());
    std::this_thread::sleep_for(kInterval);
    return top_document(before, LB_TRY(client.top()));
}

Status show_live(const Client& client, const Output& output) {
    Json before = LB_TRY(client.top());
    InterruptGuard guard;
    Screen screen;
    screen.show("lb top: the first figures come in a second\n");
    while (!screen.is_ended_within(kInterval)) {
        Json now = LB_TRY(client.top());
        size_t rows = screen.rows() > kOtherRows + 1 ? screen.rows() - kOtherRows : 1;
        screen.show(LB_TRY(top_text(LB_TRY(top_document(before, now)),
                                    {.has_colour = output.has_colour(), .rows = rows})) +
                    "\nq ends");
        before = std::move(now);
    }
    return ok();
}

}  // namespace

Result<ExitCode> run_top(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    Client client = LB_TRY(session.client());
    if (output.is_json() || arguments.has("once") || !Screen::is_possible()) {
        Json document = LB_TRY(document_of_a_second(client));
        if (output.is_json()) {
            output.document(document);
        } else {
            output.text(LB_TRY(top_text(document, {.has_colour = output.has_colour()})));
        }
        return ExitCode::kOk;
    }
    LB_TRY(show_live(client, output));
    return ExitCode::kOk;
}

Result<ExitCode> run_metrics(const Arguments& arguments, Output& output) {
    Session session(arguments, output);
    output.text(LB_TRY(LB_TRY(session.client()).metrics()));
    return ExitCode::kOk;
}

}  // namespace lb::cli
