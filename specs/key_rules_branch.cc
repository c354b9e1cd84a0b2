#include "specs/internal/key_rules.h"

#include <array>

#include "specs/internal/limits.h"

namespace lb::specs {

namespace {

using enum KeyType;

constexpr std::array kBranchKeys = {
    KeyRule{.name = "parent",
            .documentation = "The branch that it is made from.",
            .usual = "the default branch",
            .example = "\"main\""},
    KeyRule{.name = "at",
            .type = kMoment,
            .documentation = "The branch point in the parent's history: a time, an LSN or "
                             "`\"position:N\"`.",
            .usual = "the parent's head when the branch is made",
            .example = "\"2026-04-12T09:30:00Z\""},
    KeyRule{.name = "protected",
            .type = kBoolean,
            .documentation = "Cannot be deleted, reset or restored, nor its compute or project "
                             "deleted.",
            .usual = "false",
            .example = "true"},
    KeyRule{.name = "restore",
            .type = kTable,
            .documentation = "Takes the branch back to a moment, once.",
            .usual = "none",
            .example = "{ to = \"2026-04-12T09:30:00Z\" }",
            .table = &kRestoreRules},
    KeyRule{.name = "ttl",
            .type = kDuration,
            .documentation = "Deleted so long after it was made; a minute to 30 days.",
            .usual = "none",
            .example = "\"14d\""},
    KeyRule{.name = "expire_time",
            .type = kTime,
            .documentation = "Deleted at that time, which is written with its zone.",
            .usual = "none",
            .example = "\"2026-12-31T23:00:00Z\""},
    KeyRule{.name = "history_retention",
            .type = kDuration,
            .documentation = "The branch's own restore window.",
            .usual = "the project's",
            .example = "\"30d\""},
    KeyRule{.name = "compute",
            .type = kTable,
            .documentation = "Settings of its compute, which is then always on.",
            .usual = "none",
            .example = "{ min_cu = 0.5, port = 5434 }",
            .table = &kComputeRules},
    KeyRule{.name = "settings",
            .type = kScalars,
            .documentation = "PostgreSQL's settings of its server; they win over the project's.",
            .usual = "{}",
            .example = "{ shared_buffers = \"1GB\" }"},
    not_yet("databases"),
    not_yet("extensions"),
    not_yet("grants"),
    not_yet("migrations"),
    not_yet("read_replicas"),
    not_yet("roles"),
    not_yet("schemas"),
    not_yet("snapshot_schedule"),
};
constexpr std::array kBranchSynonyms = {
    KeySynonym{"source_branch", "parent"},
    KeySynonym{"parent_id", "parent"},
    KeySynonym{"from", "parent"},
    KeySynonym{"source_branch_time", "at"},
    KeySynonym{"source_branch_lsn", "at"},
    KeySynonym{"parent_timestamp", "at"},
    KeySynonym{"parent_lsn", "at"},
    KeySynonym{"position", "at"},
    KeySynonym{"is_protected", "protected"},
    KeySynonym{"expires_at", "expire_time"},
    KeySynonym{"expires", "expire_time"},
    KeySynonym{"expiration", "expire_time"},
    KeySynonym{"endpoint", "compute"},
    KeySynonym{"restore_window", "history_retention"},
    KeySynonym{"history_retention_duration", "history_retention"},
    KeySynonym{"history_retention_seconds", "history_retention"},
};

constexpr std::array kComputeKeys = {
    KeyRule{.name = "min_cu",
            .type = kNumber,
            .documentation = "The size in CU, in steps of 0.25; 1 CU is 2 GiB of memory.",
            .usual = "0.25",
            .example = "0.5",
            .min = kCuMin,
            .max = kCuMax},
    KeyRule{.name = "max_cu",
            .type = kNumber,
            .documentation = "The size in CU; for now equal to `min_cu`, and one of the two means "
                             "both.",
            .usual = "0.25",
            .example = "0.5",
            .min = kCuMin,
            .max = kCuMax},
    KeyRule{.name = "port",
            .type = kInteger,
            .documentation = "The TCP port; no two branches have the same one.",
            .usual = "chosen by lb, then kept",
            .example = "5434",
            .min = kPortMin,
            .max = kPortMax},
    KeyRule{.name = "listen_addresses",
            .type = kStrings,
            .documentation = "IP addresses, `\"localhost\"`, or `\"*\"` for all interfaces.",
            .usual = "[\"127.0.0.1\"]",
            .example = "[\"127.0.0.1\", \"::1\"]"},
    not_yet("extensions"),
    not_yet("pooling"),
    not_yet("read_replicas"),
    not_yet("settings"),
    not_yet("suspend_timeout"),
};
constexpr std::array kComputeSynonyms = {
    KeySynonym{"cu", "min_cu"},
    KeySynonym{"size", "min_cu"},
    KeySynonym{"autoscaling_limit_min_cu", "min_cu"},
    KeySynonym{"autoscaling_limit_max_cu", "max_cu"},
    KeySynonym{"host", "listen_addresses"},
    KeySynonym{"listen", "listen_addresses"},
    KeySynonym{"pg_settings", "settings"},
    KeySynonym{"suspend_timeout_seconds", "suspend_timeout"},
    KeySynonym{"suspend_timeout_duration", "suspend_timeout"},
};

constexpr std::array kRestoreKeys = {
    KeyRule{.name = "to",
            .type = kMoment,
            .documentation = "The moment to go back to, written as in `at`.",
            .usual = "required",
            .example = "\"2026-04-12T09:30:00Z\""},
    KeyRule{.name = "from",
            .documentation = "The branch whose history it is; it need not be in the spec.",
            .usual = "the branch itself",
            .example = "\"staging\""},
    KeyRule{.name = "backup",
            .documentation = "The name of the branch that keeps the state until now.",
            .usual = "`NAME-old-DATE-TIME`",
            .example = "\"main-before\""},
};
constexpr std::array kRestoreSynonyms = {
    KeySynonym{"at", "to"},
    KeySynonym{"source", "from"},
    KeySynonym{"branch", "from"},
    KeySynonym{"preserve_under_name", "backup"},
};

}  // namespace

const TableRules kBranchRules = {"branch", "a branch", kBranchKeys, kBranchSynonyms, "branches"};
const TableRules kComputeRules = {"compute", "compute", kComputeKeys, kComputeSynonyms};
const TableRules kRestoreRules = {"restore", "restore", kRestoreKeys, kRestoreSynonyms};

}  // namespace lb::specs
