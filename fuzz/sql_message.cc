// Any bytes as what servers, psql and pg_restore say: one line comes out, and nothing of the
// statement that a server repeats after it.
#include <span>

#include "base/codec.h"
#include "base/text.h"
#include "engine/branch_transaction_statements.h"
#include "engine/load_report.h"
#include "engine/sql_message.h"

using namespace lb;
using namespace lb::engine;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string_view text = as_text(std::as_bytes(std::span(data, size)));
    LB_ASSERT(parse_sql_message(text).primary.find('\n') == std::string::npos);
    LB_ASSERT(first_error_in(text).message.find('\n') == std::string::npos);
    if (text.find('\n') == std::string_view::npos && text.find("#") == std::string_view::npos) {
        SqlMessage message = parse_sql_message(cat("ERROR:  ", text, "\nLINE 1: #\n  ^\n"));
        LB_ASSERT(message.primary.find('#') == std::string::npos);
        LB_ASSERT(message.detail.empty() && message.hint.empty());
    }
    static_cast<void>(is_scram_verifier(text));
    return 0;
}
