#include "engine/load.h"

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <random>

#include "base/text.h"
#include "engine/load_input.h"
#include "engine/load_report.h"
#include "engine/load_script.h"
#include "engine/process_feed.h"
#include "engine/sql_message.h"

namespace lb::engine {

namespace {

using Progress = std::function<void(const LoadProgress&)>;

constexpr const char* kNothingLoaded = "nothing was loaded";
constexpr const char* kPartLoaded =
    "the statements before it stay, because the file cannot be one transaction";

enum class Transaction { kOne, kNone };

// Calls the user's callback ten times a second, not at every chunk.
class ProgressMeter {
public:
    ProgressMeter(const Progress& progress, uint64_t total_bytes)
        : progress_(progress), total_bytes_(total_bytes) {}

    void show(uint64_t done_bytes) {
        auto now = std::chrono::steady_clock::now();
        if (now - shown_at_ < std::chrono::milliseconds(100)) return;
        shown_at_ = now;
        show_now(done_bytes);
    }
    void show_now(uint64_t done_bytes) {
        if (progress_) progress_({done_bytes, total_bytes_});
    }

private:
    const Progress& progress_;
    const uint64_t total_bytes_;
    std::chrono::steady_clock::time_point shown_at_ = {};
};

Result<std::string> owner_of_database(const SqlTarget& target) {
    SqlTarget any = target;
    any.database = "postgres";
    std::unique_ptr<SqlSession> session = LB_TRY(SqlSession::connect(any));
    std::vector<SqlRow> rows = LB_TRY(session->query(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = $1", {target.database}));
    if (!rows.empty()) return rows[0][0].value_or("");
    return Error{.code = ErrorCode::kNotFound,
                 .message = cat("database ", lb::quoted(target.database), " does not exist"),
                 .help = "add it to the spec under [databases], and run: lb apply"};
}

ProcessOptions program(const LoadRequest& request, std::vector<std::string> arguments) {
    ProcessOptions options{.arguments = std::move(arguments), .environment = clean_environment()};
    options.environment.push_back("PGAPPNAME=lb load");
    options.environment.push_back("PGCLIENTENCODING=UTF8");
    options.environment.push_back("PGPASSFILE=/nonexistent");
    options.environment.push_back("PGHOST=" + request.target.socket_directory);
    options.environment.push_back(cat("PGPORT=", request.target.port));
    options.environment.push_back("PGUSER=" + request.target.user);
    options.environment.push_back("PGDATABASE=" + request.target.database);
    // Relative paths in \copy and \i mean what they mean to the user.
    std::error_code failure;
    std::string directory = std::filesystem::current_path(failure).string();
    if (!failure) options.working_directory = directory;
    options.death_signal = SIGKILL;
    return options;
}

std::string random_token() {
    std::random_device device;
    return cat("lb-load-", device(), "-", device());
}

// The script between what makes it one transaction. COMMIT comes after its last byte and never
// otherwise; the token that psql echoes then proves that psql has understood it as a command, and
// not as part of a string that the file forgot to close.
class ScriptSource {
public:
    ScriptSource(LoadInput& input, ScriptHead head, Transaction transaction)
        : input_(input), filter_(std::move(head)), transaction_(transaction) {}

    const std::string& token() const { return token_; }

    Result<std::string> next() {
        if (is_finished_) return std::string();
        std::string chunk = LB_TRY(input_.read());
        std::string prefix = is_started_ || transaction_ == Transaction::kNone ? "" : "BEGIN; ";
        is_started_ = true;
        if (!chunk.empty()) return prefix + LB_TRY(filter_.pass(std::move(chunk)));
        std::string end = LB_TRY(filter_.finish());
        is_finished_ = true;
        return cat(end, "\\set ON_ERROR_STOP 1\nSELECT 1;\n",
                   transaction_ == Transaction::kOne ? "COMMIT;\n" : "", "\\echo ", token_, "\n");
    }

private:
    LoadInput& input_;
    ScriptFilter filter_;
    const Transaction transaction_;
    const std::string token_ = random_token();
    bool is_started_ = false;
    bool is_finished_ = false;
};

// So that a branch made of what was loaded has nothing to replay before it answers. The load has
// happened, whatever becomes of this.
void checkpoint(const SqlTarget& target) {
    Result<std::unique_ptr<SqlSession>> session = SqlSession::connect(target);
    if (session) static_cast<void>((*session)->query("CHECKPOINT").is_ok());
}

bool is_success(int wait_status) { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0; }

class Loader {
public:
    Loader(const LoadRequest& request, const Progress& progress, LoadInput input)
        : request_(request), input_(std::move(input)), meter_(progress, input_.size_bytes()) {}

    Result<LoadSummary> run() {
        summary_.role = request_.role;
        if (summary_.role.empty()) summary_.role = LB_TRY(owner_of_database(request_.target));
        if (input_.format() == LoadFormat::kScript) {
            LB_TRY(run_script());
        } else {
            LB_TRY(run_archive());
        }
        checkpoint(request_.target);
        meter_.show_now(summary_.read_bytes);
        return std::move(summary_);
    }

private:
    Status run_script() {
        ScriptHead head = read_script_head(input_.start());
        for (const ScriptHead::Piece& piece : head.skipped) {
            summary_.skipped.push_back(cat("line ", piece.line, ": ", piece.text));
        }
        FeedResult result;
        LoadReport report = LB_TRY(run_psql(head, Transaction::kOne, result));
        if (refuses_transaction(report)) {
            if (!input_.is_regular_file()) {
                Error error = load_error(report, input_.name(), kNothingLoaded);
                error.help = "save it to a file, and load that";
                return error;
            }
            // Nothing has happened yet, and the file can be read again.
            summary_.was_one_transaction = false;
            input_ = LB_TRY(LoadInput::open(request_.file));
            report = LB_TRY(run_psql(head, Transaction::kNone, result));
        }
        if (!report.message.empty()) {
            return load_error(report, input_.name(),
                              summary_.was_one_transaction ? kNothingLoaded : kPartLoaded);
        }
        // no_active_sql_transaction: the script has ended our transaction itself.
        if (result.error_output.find("25P01: ") != std::string::npos) {
            summary_.was_one_transaction = false;
        }
        summary_.read_bytes = input_.read_bytes();
        return ok();
    }

    // An empty report if all went well.
    Result<LoadReport> run_psql(const ScriptHead& head, Transaction transaction,
                                FeedResult& result) {
        FeedOptions options;
        options.process =
            program(request_, {request_.program_directory + "/psql", "--no-psqlrc", "--no-password",
                               "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1",
                               "--set=VERBOSITY=verbose", "--file=-"});
        options.process.environment.push_back(
            cat("PGOPTIONS=-c client_min_messages=warning -c statement_timeout=0 -c role=",
                session_option_value(summary_.role)));
        ScriptSource source(input_, head, transaction);
        options.next_chunk = [&] { return source.next(); };
        options.on_tick = [&] { meter_.show(input_.read_bytes()); };
        result = LB_TRY(with_effect(feed_program(std::move(options)), transaction));
        bool is_done = is_success(result.wait_status) &&
                       result.output.find(source.token()) != std::string::npos;
        if (is_done) return LoadReport{};
        LoadReport report = first_error_in(result.error_output);
        // What we add to the end has become part of something that the file began.
        bool is_unfinished = result.error_output.find(source.token()) != std::string::npos;
        if (is_unfinished || (report.message.empty() && is_success(result.wait_status))) {
            report = {};
            report.message = "the file ends inside of a quoted string, a comment or COPY data";
        } else if (report.message.empty()) {
            report.message = cat("psql ended with ", describe_wait_status(result.wait_status));
        }
        return report;
    }

    Result<FeedResult> with_effect(Result<FeedResult> result, Transaction transaction) const {
        if (result) return result;
        Error error = std::move(result).error();
        error.message = cat(input_.name(), ": ", error.message);
        return std::move(error).with(transaction == Transaction::kOne ? kNothingLoaded
                                                                      : kPartLoaded);
    }

    Status run_archive() {
        // pg_restore takes a bare name with '=' in it for a connection string, so it gets one.
        FeedOptions options;
        options.process =
            program(request_,
                    {request_.program_directory + "/pg_restore", "--no-password", "--exit-on-error",
                     "--single-transaction", "--no-owner", "--role=" + summary_.role,
                     "--dbname=dbname=" + connection_value(request_.target.database)});
        options.process.environment.push_back(
            "PGOPTIONS=-c client_min_messages=warning -c statement_timeout=0");
        std::function<uint64_t()> done_bytes = [&] { return input_.read_bytes(); };
        if (input_.format() == LoadFormat::kArchiveDirectory) {
            options.process.arguments.push_back(request_.file);
        } else if (input_.is_regular_file()) {
            // It may want to seek, and we see where it stands.
            options.process.input = LB_TRY(input_.rewound_descriptor());
            done_bytes = [&] { return input_.shared_offset_bytes(); };
        } else {
            options.next_chunk = [&] { return input_.read(); };
        }
        options.on_tick = [&] { meter_.show(done_bytes()); };
        FeedResult result =
            LB_TRY(with_effect(feed_program(std::move(options)), Transaction::kOne));
        if (is_success(result.wait_status)) {
            summary_.read_bytes = input_.is_regular_file() ? input_.size_bytes() : done_bytes();
            return ok();
        }
        LoadReport report = first_error_in(result.error_output);
        if (report.message.empty()) {
            report.message =
                cat("pg_restore ended with ", describe_wait_status(result.wait_status));
        }
        return load_error(report, input_.name(), kNothingLoaded);
    }

    const LoadRequest& request_;
    LoadInput input_;
    ProgressMeter meter_;
    LoadSummary summary_ = {};
};

}  // namespace

Result<LoadSummary> load(const LoadRequest& request, const Progress& progress) {
    LoadInput input = LB_TRY(LoadInput::open(request.file));
    return Loader(request, progress, std::move(input)).run();
}

}  // namespace lb::engine
