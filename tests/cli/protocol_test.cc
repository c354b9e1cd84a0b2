// Requests, errors and results on the wire.
#include "cli/protocol.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.h"

namespace lb::cli {
namespace {

ApiCall round_trip(const ApiCall& call) {
    ApiRequest request = to_request(call);
    return LB_MUST(parse_api_call(request.method, request.target, request.body));
}

ErrorCode refusal(std::string_view method, std::string_view target, std::string_view body = {}) {
    Result<ApiCall> call = parse_api_call(method, target, body);
    EXPECT_FALSE(call.is_ok()) << target;
    return call.is_ok() ? ErrorCode::kInternal : call.error().code;
}

ChangeSet some_changes() {
    ChangeSet changes;
    changes.project = "shop";
    changes.changes.push_back({.address = Address::of_branch("feature/cart"),
                               .kind = ChangeKind::kCreate,
                               .value = BranchValue{.parent = "main"}});
    changes.base_versions.push_back({.address = Address::of_branch("main"), .version = {}});
    changes.plan_id = "p-1";
    changes.author = "ada@workshop";
    return changes;
}

TEST(Protocol, CallsRoundTrip) {
    using Kind = ApiCall::Kind;
    for (Kind kind : {Kind::kVersion, Kind::kProjects, Kind::kStatistics, Kind::kStopDaemon}) {
        EXPECT_EQ(round_trip({.kind = kind}), (ApiCall{.kind = kind}));
    }
    ApiCall handover{.kind = Kind::kHandOver, .program = "/opt/an \"odd\" place/lb"};
    EXPECT_EQ(round_trip(handover), handover);
    for (engine::Observe observe : {engine::Observe::kNo, engine::Observe::kYes}) {
        ApiCall call{.kind = Kind::kProject, .project = "shop", .observe = observe};
        EXPECT_EQ(round_trip(call), call);
    }
    for (const std::vector<std::string>& branches :
         {std::vector<std::string>{}, {"main"}, {"feature/cart", "a.b"}}) {
        ApiCall call{.kind = Kind::kProject, .project = "shop", .branches = branches};
        EXPECT_EQ(round_trip(call), call);
    }
    for (Kind kind : {Kind::kConnect, Kind::kStopCompute, Kind::kRestartCompute, Kind::kLogPath,
                      Kind::kHistory, Kind::kUsage}) {
        ApiCall call{.kind = kind, .project = "shop", .branch = "feature/cart"};
        EXPECT_EQ(round_trip(call), call);
    }
    ApiCall load{.kind = Kind::kMarkLoad,
                 .project = "shop",
                 .branch = "feature/cart",
                 .load = {.author = "ada", .file = "a b.sql", .database = "x", .read_bytes = 7}};
    EXPECT_EQ(round_trip(load), load);
    ApiCall generations{.kind = Kind::kGenerations,
                        .project = "shop",
                        .generations = {.after = Generation{3}, .count_max = 20}};
    EXPECT_EQ(round_trip(generations), generations);
    ApiCall apply{.kind = Kind::kApply, .project = "shop", .changes = some_changes()};
    EXPECT_EQ(round_trip(apply), apply);
    apply.lock_timeout = std::chrono::seconds(90);
    EXPECT_EQ(round_trip(apply), apply);
    ApiCall rehearse{.kind = Kind::kRehearse, .project = "shop", .changes = some_changes()};
    EXPECT_EQ(round_trip(rehearse), rehearse);
}

TEST(Protocol, RehearsalsRoundTrip) {
    engine::Rehearsal rehearsal;
    rehearsal.branches.push_back(
        {.branch = "feature/cart",
         .start_duration = std::chrono::microseconds(81'250),
         .sql_duration = std::chrono::microseconds(9'870),
         .written_bytes = 8192,
         .locks = {{.database = "", .object = "database shop", .mode = "AccessExclusiveLock"}}});
    rehearsal.branches.push_back(
        {.branch = "main", .failure = Error{.code = ErrorCode::kSqlFailed, .message = "no"}});
    Json json = to_json(rehearsal);
    engine::Rehearsal read = LB_MUST(rehearsal_from_json(json));
    EXPECT_EQ(to_json(read).dump(), json.dump());
    ASSERT_EQ(read.branches.size(), 2u);
    EXPECT_FALSE(read.is_ok());
    EXPECT_EQ(read.branches[0].locks, rehearsal.branches[0].locks);
    EXPECT_EQ(read.branches[0].sql_duration, rehearsal.branches[0].sql_duration);
    EXPECT_EQ(read.branches[1].failure->message, "no");
}

TEST(Protocol, BadRequestsAreRefused) {
    EXPECT_EQ(refusal("GET", "/"), ErrorCode::kNotFound);
    EXPECT_EQ(refusal("GET", ""), ErrorCode::kNotFound);
    EXPECT_EQ(refusal("GET", "/v2/version"), ErrorCode::kNotFound);
    EXPECT_EQ(refusal("GET", "/v1/version/"), ErrorCode::kNotFound);
    EXPECT_EQ(refusal("GET", "/v1/projects/a/b"), ErrorCode::kNotFound);
    EXPECT_EQ(refusal("POST", "/v1/version"), ErrorCode::kUsage);
    EXPECT_EQ(refusal("DELETE", "/v1/projects/shop"), ErrorCode::kUsage);
    EXPECT_EQ(refusal("GET", "/v1/version?x=1"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/shop?observe=2"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/shop?branches=a,,b"), ErrorCode::kInvalidName);
    EXPECT_EQ(refusal("GET", "/v1/projects/shop?branches=%zz"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/shop/generations?after=x"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/shop/generations?from=1"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/%zz"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/%4"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("GET", "/v1/projects/UPPER"), ErrorCode::kInvalidName);
    EXPECT_EQ(refusal("GET", "/v1/projects/.."), ErrorCode::kInvalidName);
    EXPECT_EQ(refusal("GET", "/v1/projects/"), ErrorCode::kInvalidName);
    EXPECT_EQ(refusal("GET", "/v1/version", "{}"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("POST", "/v1/projects/shop/apply", ""), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("POST", "/v1/projects/shop/apply", "{"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("POST", "/v1/projects/shop/apply", "{}"), ErrorCode::kBadRequest);
    EXPECT_EQ(refusal("POST", "/v1/projects/shop/apply", "[]"), ErrorCode::kBadRequest);
    ApiRequest other =
        to_request({.kind = ApiCall::Kind::kApply, .project = "shop", .changes = some_changes()});
    EXPECT_EQ(refusal("POST", "/v1/projects/other/apply", other.body), ErrorCode::kBadRequest);
}

TEST(Protocol, ErrorsRoundTrip) {
    Error error{.code = ErrorCode::kPlanStale,
                .message = "branch.main changed",
                .help = "lb plan",
                .notes = {"first\nsecond", "while applying"}};
    Error back = error_from_json(to_json(error));
    EXPECT_EQ(back.code, error.code);
    EXPECT_EQ(back.message, error.message);
    EXPECT_EQ(back.help, error.help);
    EXPECT_EQ(back.notes, error.notes);
    EXPECT_EQ(error_from_json(Json::object()).code, ErrorCode::kBadRequest);
    EXPECT_EQ(error_from_json(Json("text")).code, ErrorCode::kBadRequest);
}

TEST(Protocol, EveryErrorHasAFailingStatus) {
    for (int number = 1; number < 700; ++number) {
        int status = http_status(static_cast<ErrorCode>(number));
        EXPECT_GE(status, 400) << number;
        EXPECT_LT(status, 600) << number;
    }
}

TEST(Protocol, ResultsRoundTrip) {
    engine::Applied applied{.generation = Generation{7}, .position = Position{1234567890123}};
    engine::Applied applied_back = LB_MUST(applied_from_json(to_json(applied)));
    EXPECT_EQ(applied_back.generation, applied.generation);
    EXPECT_EQ(applied_back.position, applied.position);

    engine::Connection connection{.socket_directory = "/run/x",
                                  .port = 54321,
                                  .listen_addresses = {"127.0.0.1", "::1"},
                                  .superuser = "postgres",
                                  .default_database = "shop",
                                  .program_directory = "/usr/lib/postgresql/15/bin"};
    engine::Connection back = LB_MUST(connection_from_json(to_json(connection)));
    EXPECT_EQ(back.socket_directory, connection.socket_directory);
    EXPECT_EQ(back.port, connection.port);
    EXPECT_EQ(back.listen_addresses, connection.listen_addresses);
    EXPECT_EQ(back.superuser, connection.superuser);
    EXPECT_EQ(back.default_database, connection.default_database);
    EXPECT_EQ(back.program_directory, connection.program_directory);

    engine::ProgressEvent event{.step = "branch.create",
                                .address = "branch.main",
                                .message = "creating",
                                .done = 1,
                                .total = 3};
    engine::ProgressEvent event_back = LB_MUST(progress_event_from_json(to_json(event)));
    EXPECT_EQ(event_back.step, event.step);
    EXPECT_EQ(event_back.address, event.address);
    EXPECT_EQ(event_back.message, event.message);
    EXPECT_EQ(event_back.done, event.done);
    EXPECT_EQ(event_back.total, event.total);
}

TEST(Protocol, PortsThatAreNoneAreRefused) {
    Json json = to_json(engine::Connection{});
    json.set("port", 65536);
    EXPECT_FALSE(connection_from_json(json).is_ok());
    json.set("port", -1);
    EXPECT_FALSE(connection_from_json(json).is_ok());
}

RC_GTEST_PROP(Protocol, PercentCodingRoundTrips, (const std::string& text)) {
    RC_ASSERT(LB_MUST(percent_decode(percent_encode(text))) == text);
}

RC_GTEST_PROP(Protocol, AnyTargetGetsAnAnswer, (const std::string& target)) {
    for (const char* prefix : {"", "/v1/", "/v1/projects/", "/v1/projects/shop/branches/"}) {
        Result<ApiCall> call = parse_api_call("GET", prefix + target, "");
        if (call.is_ok()) RC_ASSERT(round_trip(*call) == *call);
    }
}

}  // namespace
}  // namespace lb::cli
