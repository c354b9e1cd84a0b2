#include "cli/top_view.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/clock.h"
#include "base/text.h"
#include "cli/table.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

using Align = Table::Align;

// The largest bound below which `share` of what is counted lies; 0 if nothing is.
std::chrono::nanoseconds percentile(const LatencySnapshot& latency, double share) {
    uint64_t total = latency.count();
    uint64_t seen = 0;
    for (size_t i = 0; i < LatencySnapshot::kBuckets && total > 0; i++) {
        seen += latency.counts[i];
        if (static_cast<double>(seen) >= share * static_cast<double>(total)) {
            return LatencySnapshot::upper_bound(i);
        }
    }
    return std::chrono::nanoseconds{0};
}

Json counts_json(const LatencySnapshot& latency) {
    Json counts = Json::array();
    for (uint64_t count : latency.counts) counts.push(count);
    return counts;
}

// What was counted between two arrays of counts.
Result<LatencySnapshot> counts_between(const Json& before, const Json& now) {
    const Json::Array& old_counts = *LB_TRY(before.array_at("sync_counts"));
    const Json::Array& counts = *LB_TRY(now.array_at("sync_counts"));
    LatencySnapshot result;
    for (size_t i = 0; i < result.counts.size() && i < counts.size() && i < old_counts.size();
         i++) {
        const int64_t* count = counts[i].if_integer();
        const int64_t* old_count = old_counts[i].if_integer();
        if (count == nullptr || old_count == nullptr) continue;
        result.counts[i] = static_cast<uint64_t>(std::max<int64_t>(*count - *old_count, 0));
    }
    return result;
}

// Per second. A counter that went back began anew.
Result<double> rate(const Json& before, const Json& now, std::string_view key, double seconds) {
    uint64_t count = LB_TRY(now.unsigned_at(key));
    Result<uint64_t> old_count = before.unsigned_at(key);
    if (!old_count || *old_count > count || seconds <= 0) return 0.0;
    return std::round(static_cast<double>(count - *old_count) / seconds * 10) / 10;
}

std::string branch_key(const Json& branch) {
    Result<std::string> project = branch.text_at("project");
    Result<std::string> name = branch.text_at("branch");
    return cat(project ? *project : "", "/", name ? *name : "");
}

Result<Json> branch_between(const Json& before, const Json& now, double seconds) {
    Json json = Json::object();
    for (const char* key : {"project", "branch", "compute"}) {
        json.set(key, LB_TRY(now.text_at(key)));
    }
    json.set("own_bytes", LB_TRY(now.unsigned_at("own_bytes")));
    json.set("written_bytes_per_s", LB_TRY(rate(before, now, "own_bytes", seconds)));
    if (now.find("transactions") == nullptr) return json;
    json.set("connections", LB_TRY(now.unsigned_at("connections")));
    json.set("transactions_per_s", LB_TRY(rate(before, now, "transactions", seconds)));
    double hits = LB_TRY(rate(before, now, "blocks_hit", seconds));
    double reads = LB_TRY(rate(before, now, "blocks_read", seconds));
    if (hits + reads > 0)
        json.set("buffer_hit_ratio", std::round(hits / (hits + reads) * 1000) / 1000);
    return json;
}

double number_of(const Json& json, std::string_view key) {
    const Json* found = json.find(key);
    if (found == nullptr) return 0;
    if (const double* value = found->if_double()) return *value;
    if (const int64_t* value = found->if_integer()) return static_cast<double>(*value);
    return 0;
}

std::string bytes_text(double bytes) { return format_bytes(static_cast<uint64_t>(bytes)); }

std::string count_text(double count) {
    return count >= 10 || count == 0 ? std::to_string(std::llround(count))
                                     : cat(std::llround(std::floor(count)), ".",
                                           std::llround(std::floor(count * 10)) % 10);
}

std::string percent_text(const Json& json, std::string_view key) {
    if (json.find(key) == nullptr) return "-";
    return cat(count_text(number_of(json, key) * 100), " %");
}

std::string totals_text(const Json& store, double interval_s) {
    std::string text =
        cat("log ", bytes_text(number_of(store, "log_bytes")), ", ",
            bytes_text(number_of(store, "log_bytes_per_s")), "/s    free ",
            bytes_text(number_of(store, "free_bytes")), "    to reclaim ",
            bytes_text(number_of(store, "reclaim_debt_bytes")), "    not synced ",
            count_text(number_of(store, "unsynced_frames")), " frames\n", "syncs ",
            count_text(number_of(store, "syncs_per_s")), "/s, half below ",
            format_duration(
                std::chrono::microseconds(std::llround(number_of(store, "sync_p50_s") * 1e6))),
            ", 99 % below ",
            format_duration(
                std::chrono::microseconds(std::llround(number_of(store, "sync_p99_s") * 1e6))),
            "    requests ", count_text(number_of(store, "requests_per_s")), "/s    blocks read ",
            count_text(number_of(store, "block_reads_per_s")), "/s, written ",
            count_text(number_of(store, "block_writes_per_s")), "/s    placed by memory ",
            percent_text(store, "cache_hit_ratio"), "\n");
    if (number_of(store, "damage_met") + number_of(store, "scrub_problems") > 0) {
        text += cat("damage: ", count_text(number_of(store, "damage_met")),
                    " reads failed, scrub found ", count_text(number_of(store, "scrub_problems")),
                    " problems; run: lb fsck\n");
    }
    return cat("lb top, over ", count_text(interval_s), " s\n", text);
}

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kRed = "\x1b[31m";
constexpr std::string_view kPlain = "\x1b[0m";

// Whole lines, so that the table's columns stay where they are.
std::string coloured(std::string_view line, std::string_view colour, const TopStyle& style) {
    return style.has_colour ? cat(colour, line, kPlain) : std::string(line);
}

}  // namespace

Json top_sample(const MetricsSource& source) {
    const store::StoreStatistics& store = source.store;
    Json store_json = Json::object();
    store_json.set("log_bytes", store.log_bytes);
    store_json.set("reclaim_debt_bytes", store.reclaim_debt_bytes);
    store_json.set("free_bytes", store.free_bytes);
    store_json.set("unsynced_frames", store.position.value() - store.durable_position.value());
    store_json.set("syncs", store.syncs.count());
    store_json.set("sync_counts", counts_json(store.syncs));
    store_json.set("block_reads", store.block_reads);
    store_json.set("block_writes", store.block_writes);
    store_json.set("reads_placed_by_memory", store.reads_placed_by_memory);
    store_json.set("reads_placed_by_index", store.reads_placed_by_index);
    store_json.set("requests", source.transport.request_count);
    store_json.set("damage_met", store.damage_met_count);
    store_json.set("scrub_problems", source.scrub ? source.scrub->problem_count : 0);
    std::map<LineId, uint64_t> own_bytes;
    for (const store::LineInfo& line : source.lines) own_bytes[line.line] = line.own_bytes;
    Json branches = Json::array();
    for (const engine::BranchStatistics& branch : source.engine.branches) {
        Json json = Json::object();
        json.set("project", branch.project);
        json.set("branch", branch.branch);
        json.set("compute", to_text(branch.status));
        json.set("own_bytes", own_bytes[branch.line]);
        if (branch.activity) {
            json.set("connections", branch.activity->connections);
            json.set("transactions", branch.activity->transactions);
            json.set("blocks_hit", branch.activity->blocks_hit);
            json.set("blocks_read", branch.activity->blocks_read);
        }
        branches.push(std::move(json));
    }
    Json json = Json::object();
    json.set("time_ns", int64_t{system_clock().now().time_since_epoch().count()});
    json.set("store", std::move(store_json));
    json.set("branches", std::move(branches));
    return json;
}

Result<Json> top_document(const Json& before, const Json& now) {
    auto passed_ns = static_cast<double>(LB_TRY(now.integer_at("time_ns")) -
                                         LB_TRY(before.integer_at("time_ns")));
    double seconds = passed_ns / 1e9;
    const Json& old_store = *LB_TRY(before.object_at("store"));
    const Json& store = *LB_TRY(now.object_at("store"));
    Json store_json = Json::object();
    for (const char* key : {"log_bytes", "reclaim_debt_bytes", "free_bytes", "unsynced_frames",
                            "damage_met", "scrub_problems"}) {
        store_json.set(key, LB_TRY(store.unsigned_at(key)));
    }
    for (const char* key : {"log_bytes", "syncs", "requests", "block_reads", "block_writes"}) {
        store_json.set(cat(key, "_per_s"), LB_TRY(rate(old_store, store, key, seconds)));
    }
    LatencySnapshot syncs = LB_TRY(counts_between(old_store, store));
    store_json.set("sync_p50_s", std::chrono::duration<double>(percentile(syncs, 0.5)).count());
    store_json.set("sync_p99_s", std::chrono::duration<double>(percentile(syncs, 0.99)).count());
    double hits = LB_TRY(rate(old_store, store, "reads_placed_by_memory", seconds));
    double misses = LB_TRY(rate(old_store, store, "reads_placed_by_index", seconds));
    if (hits + misses > 0) {
        store_json.set("cache_hit_ratio", std::round(hits / (hits + misses) * 1000) / 1000);
    }
    std::map<std::string, const Json*> old_branches;
    for (const Json& branch : *LB_TRY(before.array_at("branches"))) {
        old_branches[branch_key(branch)] = &branch;
    }
    const Json nothing = Json::object();
    Json branches = Json::array();
    for (const Json& branch : *LB_TRY(now.array_at("branches"))) {
        auto old_branch = old_branches.find(branch_key(branch));
        const Json& before_it = old_branch == old_branches.end() ? nothing : *old_branch->second;
        branches.push(LB_TRY(branch_between(before_it, branch, seconds)));
    }
    Json json = Json::object();
    json.set("format_version", kJsonFormatVersion);
    json.set("interval_s", std::round(seconds * 1000) / 1000);
    json.set("store", std::move(store_json));
    json.set("branches", std::move(branches));
    return json;
}

Result<std::string> top_text(const Json& document, const TopStyle& style) {
    std::vector<const Json*> branches;
    for (const Json& branch : *LB_TRY(document.array_at("branches"))) branches.push_back(&branch);
    auto is_busier = [](const Json* a, const Json* b) {
        auto order = [](const Json& branch) {
            return std::pair(number_of(branch, "transactions_per_s"),
                             number_of(branch, "written_bytes_per_s"));
        };
        bool is_running_a = a->find("connections") != nullptr;
        bool is_running_b = b->find("connections") != nullptr;
        if (is_running_a != is_running_b) return is_running_a;
        return order(*a) > order(*b);
    };
    std::stable_sort(branches.begin(), branches.end(), is_busier);
    size_t shown = style.rows == 0 ? branches.size() : std::min(style.rows, branches.size());
    Table table({{"BRANCH"},
                 {"COMPUTE"},
                 {"CONN", Align::kRight},
                 {"TPS", Align::kRight},
                 {"WRITTEN", Align::kRight},
                 {"HIT", Align::kRight},
                 {"OWN", Align::kRight}});
    for (size_t i = 0; i < shown; i++) {
        const Json& branch = *branches[i];
        bool is_running = branch.find("connections") != nullptr;
        table.add_row({branch_key(branch), LB_TRY(branch.text_at("compute")),
                       is_running ? count_text(number_of(branch, "connections")) : "-",
                       is_running ? count_text(number_of(branch, "transactions_per_s")) : "-",
                       cat(bytes_text(number_of(branch, "written_bytes_per_s")), "/s"),
                       percent_text(branch, "buffer_hit_ratio"),
                       bytes_text(number_of(branch, "own_bytes"))});
    }
    std::vector<std::string> lines = split(table.to_text(), '\n');
    std::string text =
        totals_text(*LB_TRY(document.object_at("store")), number_of(document, "interval_s"));
    text += "\n";
    for (size_t i = 0; i < lines.size(); i++) {
        if (lines[i].empty()) continue;
        std::string_view colour = i == 0 ? kBold : "";
        if (i > 0 && i <= shown) {
            Result<std::string> compute = branches[i - 1]->text_at("compute");
            if (compute && *compute == "running") colour = kGreen;
            if (compute && *compute == "failed") colour = kRed;
        }
        text += (colour.empty() ? lines[i] : coloured(lines[i], colour, style)) + "\n";
    }
    if (shown < branches.size()) text += cat("and ", branches.size() - shown, " more\n");
    return text;
}

}  // namespace lb::cli
