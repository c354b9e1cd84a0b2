#include "cli/metrics.h"

#include <array>
#include <cstdio>
#include <map>

#include "base/text.h"
#include "cli/version.h"

namespace lb::cli {
namespace {

enum class MetricType { kCounter, kGauge, kHistogram };

std::string_view type_text(MetricType type) {
    switch (type) {
        case MetricType::kCounter: return "counter";
        case MetricType::kGauge: return "gauge";
        case MetricType::kHistogram: return "histogram";
    }
    return "untyped";
}

std::string seconds_text(std::chrono::nanoseconds duration) {
    char buffer[32];
    double seconds = std::chrono::duration<double>(duration).count();
    int length = std::snprintf(buffer, sizeof(buffer), "%.9g", seconds);
    return std::string(buffer, static_cast<size_t>(length));
}

// project="shop",branch="main"
std::string label(std::string_view name, std::string_view value) {
    std::string text = cat(name, "=\"");
    for (char c : value) {
        if (c == '\\' || c == '"') text += '\\';
        if (c == '\n') {
            text += "\\n";
        } else {
            text += c;
        }
    }
    return text + "\"";
}

class MetricsWriter {
public:
    void family(std::string_view name, MetricType type, std::string_view help) {
        name_ = name;
        text_ += cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type_text(type), "\n");
    }
    template <class Number>
    void sample(Number value, std::string_view labels = {}) {
        line("", labels, cat(value));
    }
    void seconds(std::chrono::nanoseconds duration) { line("", {}, seconds_text(duration)); }
    void histogram(const LatencySnapshot& latency, std::string_view labels = {}) {
        std::string separator = labels.empty() ? "" : ",";
        uint64_t total = 0;
        for (size_t i = 0; i < LatencySnapshot::kBuckets; i++) {
            total += latency.counts[i];
            std::string bound = seconds_text(LatencySnapshot::upper_bound(i));
            line("_bucket", cat(labels, separator, label("le", bound)), cat(total));
        }
        total = latency.count();
        line("_bucket", cat(labels, separator, label("le", "+Inf")), cat(total));
        line("_sum", labels,
             seconds_text(std::chrono::nanoseconds(static_cast<int64_t>(latency.sum_ns))));
        line("_count", labels, cat(total));
    }
    // One sample without labels.
    template <class Number>
    void single(std::string_view name, MetricType type, std::string_view help, Number value) {
        family(name, type, help);
        sample(value);
    }
    std::string take() { return std::move(text_); }

private:
    void line(std::string_view suffix, std::string_view labels, std::string_view value) {
        text_ += cat(name_, suffix);
        if (!labels.empty()) text_ += cat("{", labels, "}");
        text_ += cat(" ", value, "\n");
    }

    std::string name_;
    std::string text_;
};

constexpr MetricType kCounter = MetricType::kCounter;
constexpr MetricType kGauge = MetricType::kGauge;

void write_store(const store::StoreStatistics& store, MetricsWriter& out) {
    out.single("lb_store_log_bytes", kGauge, "Bytes in the log, without spare space.",
               store.log_bytes);
    out.single("lb_store_segments", kGauge, "Segment files of the log.", store.segment_count);
    out.single("lb_store_position", kGauge, "Newest position of the store.",
               store.position.value());
    out.single("lb_store_unsynced_frames", kGauge, "Frames that are written and not yet durable.",
               store.position.value() - store.durable_position.value());
    out.single("lb_store_frames_total", kCounter, "Frames appended.", store.frame_count);
    out.family("lb_store_sync_duration_seconds", MetricType::kHistogram,
               "Syncs of the log; one serves all who wait.");
    out.histogram(store.syncs);
    out.single("lb_store_block_reads_total", kCounter, "Blocks read.", store.block_reads);
    out.single("lb_store_block_writes_total", kCounter, "Blocks written.", store.block_writes);
    out.family("lb_store_reads_total", kCounter,
               "Reads, by who knew where their blocks are: the cache in memory, or the index.");
    out.sample(store.reads_placed_by_memory, label("placed_by", "memory"));
    out.sample(store.reads_placed_by_index, label("placed_by", "index"));
    out.single("lb_store_index_chunk_loads_total", kCounter,
               "Chunks of block places loaded from the index.", store.index_chunk_misses);
    out.single("lb_store_lines", kGauge, "Lines that are not deleted.", store.line_count);
    out.single("lb_store_cold_bytes", kGauge, "Bytes in cold segments.", store.cold_bytes);
    out.single("lb_store_reclaim_debt_bytes", kGauge,
               "Full segments that reclaim could work on, in bytes.", store.reclaim_debt_bytes);
    out.single("lb_store_reclaimed_bytes_total", kCounter,
               "Bytes of segments that reclaim has removed.", store.reclaimed_bytes);
    out.single("lb_store_write_pressure", kGauge,
               "How much writers are slowed down for reclaim, 0 to 1.", store.write_pressure);
    out.single("lb_store_free_bytes", kGauge, "Free space of the file system.", store.free_bytes);
    out.single("lb_store_damage_met_total", kCounter,
               "Reads and writes that failed because the log is damaged there.",
               store.damage_met_count);
}

void write_transport(const store::FuseStatistics& transport, MetricsWriter& out) {
    out.family("lb_fuse_request_duration_seconds", MetricType::kHistogram,
               "Requests of the kernel by operation; of a sync, until it begins to wait.");
    for (const store::FuseOperationStatistics& operation : transport.operations) {
        out.histogram(operation.latency, label("operation", operation.name));
    }
    out.single("lb_fuse_uring_requests_total", kCounter, "Requests that came by io_uring.",
               transport.uring_request_count);
    out.single("lb_fuse_split_writes_total", kCounter,
               "Writes that reached the store with a block cut.", transport.split_write_count);
    out.single("lb_fuse_joined_writes_total", kCounter, "Writes that the kernel cut and lb joined.",
               transport.joined_write_count);
}

void write_scrub(const std::optional<store::ScrubStatus>& scrub, MetricsWriter& out) {
    out.single("lb_scrub_enabled", kGauge, "1 if the scrubber is switched on.", scrub ? 1 : 0);
    if (!scrub) return;
    out.single("lb_scrub_reading", kGauge, "1 during a pass, 0 between passes.",
               scrub->is_reading ? 1 : 0);
    out.single("lb_scrub_passes_total", kCounter, "Passes completed since the store was made.",
               scrub->pass_count);
    out.single("lb_scrub_segment", kGauge, "Segment that is read now, or next.",
               scrub->segment.value());
    out.single("lb_scrub_segments", kGauge, "Segments that the pass has to read.",
               scrub->segment_count);
    out.single("lb_scrub_read_bytes_total", kCounter, "Bytes read.", scrub->read_bytes);
    out.single("lb_scrub_problems", kGauge,
               "Problems found by the last complete pass and the one under way.",
               scrub->problem_count);
    if (!scrub->completed_at) return;
    out.family("lb_scrub_completed_timestamp_seconds", kGauge, "When the last pass was complete.");
    out.seconds(scrub->completed_at->time_since_epoch());
}

void write_engine(const engine::EngineStatistics& engine, MetricsWriter& out) {
    out.single("lb_projects", kGauge, "Projects.", engine.project_count);
    out.single("lb_branches", kGauge, "Branches.", engine.branches.size());
    std::map<ComputeStatus, uint64_t> by_status;
    for (ComputeStatus status :
         {ComputeStatus::kStopped, ComputeStatus::kStarting, ComputeStatus::kRunning,
          ComputeStatus::kStopping, ComputeStatus::kFailed}) {
        by_status[status] = 0;
    }
    for (const engine::BranchStatistics& branch : engine.branches) by_status[branch.status]++;
    out.family("lb_computes", kGauge, "Computes by state.");
    for (const auto& [status, count] : by_status) {
        out.sample(count, label("state", to_text(status)));
    }
    out.family("lb_apply_duration_seconds", MetricType::kHistogram,
               "Applies, failed ones included.");
    out.histogram(engine.applies);
    out.single("lb_apply_failures_total", kCounter, "Applies that failed; nothing was changed.",
               engine.failed_apply_count);
}

std::string branch_labels(const engine::BranchStatistics& branch) {
    return cat(label("project", branch.project), ",", label("branch", branch.branch));
}

void write_branch_sizes(const MetricsSource& source, MetricsWriter& out) {
    std::map<LineId, const store::LineInfo*> lines;
    for (const store::LineInfo& line : source.lines) lines[line.line] = &line;
    struct Size {
        std::string_view name;
        std::string_view help;
        uint64_t store::LineInfo::*member;
    };
    constexpr std::array kSizes = {
        Size{"lb_branch_own_bytes", "Bytes in the log that the branch brought, history included.",
             &store::LineInfo::own_bytes},
        Size{"lb_branch_logical_bytes", "Size of the files that the branch shows.",
             &store::LineInfo::logical_bytes},
    };
    for (const Size& size : kSizes) {
        out.family(size.name, kGauge, size.help);
        for (const engine::BranchStatistics& branch : source.engine.branches) {
            auto line = lines.find(branch.line);
            if (line == lines.end()) continue;
            out.sample(line->second->*size.member, branch_labels(branch));
        }
    }
}

void write_activity(const engine::EngineStatistics& engine, MetricsWriter& out) {
    struct Activity {
        std::string_view name;
        MetricType type;
        std::string_view help;
        uint64_t engine::ComputeActivity::*member;
    };
    constexpr std::array kActivities = {
        Activity{"lb_branch_connections", kGauge, "Connections to the running compute.",
                 &engine::ComputeActivity::connections},
        Activity{"lb_branch_transactions_total", kCounter,
                 "Transactions of the running compute, rolled back ones included.",
                 &engine::ComputeActivity::transactions},
        Activity{"lb_branch_buffer_hits_total", kCounter,
                 "Blocks that PostgreSQL found in its shared buffers.",
                 &engine::ComputeActivity::blocks_hit},
        Activity{"lb_branch_buffer_reads_total", kCounter,
                 "Blocks that PostgreSQL had to read from the store.",
                 &engine::ComputeActivity::blocks_read},
    };
    for (const Activity& activity : kActivities) {
        out.family(activity.name, activity.type, activity.help);
        for (const engine::BranchStatistics& branch : engine.branches) {
            if (!branch.activity) continue;
            out.sample((*branch.activity).*activity.member, branch_labels(branch));
        }
    }
}

}  // namespace

std::string metrics_text(const MetricsSource& source) {
    MetricsWriter out;
    out.family("lb_build_info", kGauge, "The daemon's version.");
    out.sample(1, label("version", version()));
    write_store(source.store, out);
    write_transport(source.transport, out);
    write_scrub(source.scrub, out);
    write_engine(source.engine, out);
    write_branch_sizes(source, out);
    write_activity(source.engine, out);
    return out.take();
}

}  // namespace lb::cli
