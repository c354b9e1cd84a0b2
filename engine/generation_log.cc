#include "engine/generation_log.h"

#include <algorithm>

#include "base/text.h"

namespace lb::engine {

namespace {

GenerationRecord without_values(GenerationRecord record) {
    record.has_values = false;
    for (GenerationChange& change : record.changes) {
        change.before = {};
        change.after = {};
    }
    return record;
}

bool is_sql(const Address& address) {
    switch (address.kind) {
        case ResourceKind::kProject:
        case ResourceKind::kBranch:
        case ResourceKind::kCompute: return false;
        case ResourceKind::kRole:
        case ResourceKind::kDatabase:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return true;
    }
    return false;
}

Result<std::optional<GenerationRecord>> read_generation(const store::Store& store,
                                                        ProjectId project, Generation number) {
    std::string key = generation_key(project, number);
    std::optional<std::string> text = LB_TRY(store.note(key));
    if (!text) return std::optional<GenerationRecord>{};
    Result<GenerationRecord> record = decode_generation(*text);
    if (!record.is_ok()) {
        return std::move(record).error().with(cat("in catalog note ", quoted(key)));
    }
    return std::optional{*std::move(record)};
}

}  // namespace

Result<std::vector<GenerationRecord>> read_generations(const store::Store& store, ProjectId project,
                                                       Generation newest,
                                                       const GenerationRange& range) {
    std::vector<GenerationRecord> records;
    uint64_t oldest = range.after.value();
    if (newest.value() > kGenerationsKept) {
        oldest = std::max(oldest, newest.value() - kGenerationsKept);
    }
    for (uint64_t number = newest.value(); number > oldest; --number) {
        if (records.size() >= range.count_max) break;
        auto record = LB_TRY(read_generation(store, project, Generation{number}));
        // A project that was destroyed and made anew counts on; its first record is the last here.
        if (!record) break;
        records.push_back(*std::move(record));
    }
    return records;
}

Result<std::optional<store::Note>> faded_generation(const store::Store& store, ProjectId project,
                                                    Generation newest) {
    if (newest.value() <= kGenerationsKept) return std::optional<store::Note>{};
    Generation number{newest.value() - kGenerationsKept};
    auto record = LB_TRY(read_generation(store, project, number));
    if (!record) return std::optional<store::Note>{};
    store::Note note{.key = generation_key(project, number)};
    if (record->transaction.empty()) return std::optional{std::move(note)};
    GenerationRecord faded = without_values(*std::move(record));
    std::erase_if(faded.changes,
                  [](const GenerationChange& change) { return !is_sql(change.address); });
    note.value = encode(faded);
    return std::optional{std::move(note)};
}

std::string encode_within_limit(const GenerationRecord& record) {
    std::string text = encode(record);
    return text.size() <= kGenerationMaxBytes ? text : encode(without_values(record));
}

}  // namespace lb::engine
