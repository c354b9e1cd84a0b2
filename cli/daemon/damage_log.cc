#include "cli/daemon/damage_log.h"

#include "base/text.h"
#include "engine/catalog_check.h"
#include "store/format_text.h"
#include "store/inode_codec.h"

namespace lb::cli {
namespace {

constexpr size_t kKnownMax = 1000;

store::InodeId inode_of_record(const store::RecordHeader& record) {
    switch (record.type) {
        case store::RecordType::kBlock:
        case store::RecordType::kTruncate: return store::inode_of(store::DataId{record.object});
        case store::RecordType::kInode:
        case store::RecordType::kDirent: return store::InodeId{record.object};
        case store::RecordType::kLineCreate:
        case store::RecordType::kLineDelete:
        case store::RecordType::kLineSize:
        case store::RecordType::kNote: break;
    }
    return {};
}

}  // namespace

void DamageLog::met(const store::DamageMet& damage) {
    add({.what = cat("damage met: ", store::reason_text(damage.error)),
         .line = damage.line,
         .inode = damage.inode,
         .offset = damage.offset,
         .has_offset = true},
        cat(damage.line.value(), "/", damage.inode.value(), "/", damage.error.message));
}

void DamageLog::found(const store::Problem& problem) {
    Entry entry{.what = cat("scrub: ", store::problem_name(problem.code), " segment ",
                            problem.segment.value(), " offset ", problem.offset, ": ",
                            problem.message)};
    if (problem.record) {
        entry.what += cat(" (", store::identity_text(*problem.record), ")");
        entry.line = LineId{problem.record->line};
        entry.inode = inode_of_record(*problem.record);
    }
    std::string key = entry.what;
    add(std::move(entry), std::move(key));
}

void DamageLog::add(Entry entry, std::string key) {
    std::lock_guard lock(mutex_);
    if (known_.size() >= kKnownMax || !known_.insert(std::move(key)).second) return;
    entries_.push_back(std::move(entry));
    changed_.notify_all();
}

void DamageLog::start(store::Store& store) {
    store_ = &store;
    thread_ = std::thread([this] { run(); });
}

void DamageLog::stop() {
    {
        std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void DamageLog::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return is_stopping_ || !entries_.empty(); });
        if (entries_.empty()) return;
        std::vector<Entry> entries = std::exchange(entries_, {});
        lock.unlock();
        for (const Entry& entry : entries) log_line_(text_of(entry));
        lock.lock();
    }
}

std::string DamageLog::text_of(const Entry& entry) {
    if (entry.line == LineId{}) return entry.what;
    std::string branch = cat("line ", entry.line.value());
    Result<std::vector<store::Note>> notes = store_->notes("");
    if (notes) {
        auto names = engine::names_of_lines(*notes);
        if (auto found = names.find(entry.line); found != names.end()) branch = found->second;
    }
    std::string text = cat(entry.what, "; branch ", branch);
    Result<std::string> path = store_->path(entry.line, entry.inode);
    if (path && !path->empty()) text += cat(", file ", *path);
    if (entry.has_offset) text += cat(", from byte ", entry.offset);
    return text;
}

}  // namespace lb::cli
