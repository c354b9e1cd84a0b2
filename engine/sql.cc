#include "engine/sql.h"

#include <pqxx/pqxx>

#include <algorithm>

#include "base/text.h"
#include "engine/sql_message.h"

namespace lb::engine {

namespace {

// Whatever roles, databases and the server are set to: our sessions see pg_catalog only, are
// durable, give up on a lock rather than hang, and leave no statement with a verifier in the log or
// in pg_stat_activity.
constexpr const char* kSessionSettings[] = {
    "search_path=pg_catalog",
    "role=none",
    "client_min_messages=error",
    "standard_conforming_strings=on",
    "default_transaction_read_only=off",
    "default_transaction_isolation=read\\ committed",
    "synchronous_commit=local",
    "lock_timeout=30s",
    "statement_timeout=0",
    "idle_in_transaction_session_timeout=0",
    "idle_session_timeout=0",
    "log_statement=none",
    "log_min_error_statement=panic",
    "log_min_duration_statement=-1",
    "log_min_duration_sample=-1",
    "log_duration=off",
    "log_transaction_sample_rate=0",
    "track_activities=off",
    "pg_stat_statements.track_utility=off",
};

std::string connection_text(const SqlTarget& target) {
    std::string options;
    for (const char* setting : kSessionSettings) options += cat("-c ", setting, " ");
    // hostaddr and passfile are named so that PGHOSTADDR and ~/.pgpass play no part.
    return cat("host=", connection_value(target.socket_directory),
               " hostaddr='' port=", target.port, " user=", connection_value(target.user),
               " dbname=", connection_value(target.database),
               " application_name=lb client_encoding=UTF8 connect_timeout=60"
               " passfile=/nonexistent target_session_attrs=any gssencmode=disable options=",
               connection_value(options));
}

Error error_of(ErrorCode code, const std::string& text, const std::string& state) {
    SqlMessage message = parse_sql_message(text);
    Error error{.code = code, .message = message.primary, .help = message.hint};
    if (!message.detail.empty()) error.notes.push_back(message.detail);
    if (!state.empty()) error.notes.push_back(cat("SQLSTATE ", state));
    return error;
}

Error connection_lost() {
    return Error{.code = ErrorCode::kComputeLost,
                 .message = "the connection to the server is lost",
                 .help = "run the command again; if it happens again, read the log: lb logs"};
}

class PqxxSession final : public SqlSession {
public:
    explicit PqxxSession(const SqlTarget& target) : connection_(connection_text(target)) {}

    Result<std::vector<SqlRow>> query(const std::string& sql,
                                      const std::vector<std::string>& parameters) override {
        // libpqxx would quietly connect again, outside of the transaction that we believe in.
        if (!connection_.is_open()) return connection_lost();
        try {
            pqxx::nontransaction transaction(connection_);
            pqxx::result result =
                parameters.empty()
                    ? transaction.exec(sql)
                    : transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(parameters));
            return rows_of(result);
        } catch (const pqxx::sql_error& failure) {
            if (!connection_.is_open()) {
                return connection_lost().with(parse_sql_message(failure.what()).primary);
            }
            return error_of(ErrorCode::kSqlFailed, failure.what(), failure.sqlstate());
        } catch (const std::exception& failure) {
            if (!connection_.is_open()) return connection_lost();
            return error_of(ErrorCode::kSqlFailed, failure.what(), "");
        }
    }

    std::string quote_identifier(std::string_view name) override { return quote(name, '"'); }

    // With standard_conforming_strings, which every session of ours has, only quotes are special.
    std::string quote_literal(std::string_view value) override { return quote(value, '\''); }

private:
    static std::string quote(std::string_view text, char mark) {
        std::string out(1, mark);
        for (char c : text) {
            if (c == mark) out += mark;
            out += c;
        }
        return out + mark;
    }

    static std::vector<SqlRow> rows_of(const pqxx::result& result) {
        std::vector<SqlRow> rows;
        for (const auto& row : result) {
            SqlRow& out = rows.emplace_back();
            for (const auto& field : row) {
                out.push_back(field.is_null() ? std::nullopt
                                              : std::optional<std::string>(field.c_str()));
            }
        }
        return rows;
    }

    pqxx::connection connection_;
};

}  // namespace

Result<std::unique_ptr<SqlSession>> SqlSession::connect(const SqlTarget& target) {
    try {
        return std::unique_ptr<SqlSession>(std::make_unique<PqxxSession>(target));
    } catch (const std::exception& failure) {
        return error_of(ErrorCode::kComputeLost, failure.what(), "")
            .with(cat("while connecting to database ", quoted(target.database), " through ",
                      target.socket_directory, " port ", target.port));
    }
}

}  // namespace lb::engine

#if defined(__SANITIZE_ADDRESS__)
#define LB_HAS_LEAK_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LB_HAS_LEAK_SANITIZER
#endif
#endif

#ifdef LB_HAS_LEAK_SANITIZER
// libpqxx 6.4 forgets a result when the connection breaks while it arrives: it asks the connection
// for its encoding, and that throws. Called by the sanitizer by this name.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx\n"; }
#endif
