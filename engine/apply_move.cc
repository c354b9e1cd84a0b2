#include "engine/apply_move.h"

#include <ctime>

#include "base/text.h"

namespace lb::engine {

namespace {

constexpr size_t kNameMaxBytes = 63;

std::string stamp_of(WallTime now) {
    std::time_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    return {text, std::strftime(text, sizeof text, "-old-%Y%m%d-%H%M%S", &parts)};
}

}  // namespace

std::string backup_name(const std::string& branch, WallTime now,
                        const std::function<bool(const std::string&)>& is_taken) {
    for (uint64_t number = 1;; ++number) {
        std::string end = stamp_of(now);
        if (number > 1) end += cat("-", number);
        std::string name = branch.substr(0, kNameMaxBytes - end.size()) + end;
        if (!is_taken(name)) return name;
    }
}

ManagedRecord managed_before(ManagedRecord managed, const std::string& branch,
                             const std::vector<GenerationRecord>& generations) {
    for (const GenerationRecord& generation : generations) {
        for (auto change = generation.changes.rbegin(); change != generation.changes.rend();
             ++change) {
            const Address& address = change->address;
            bool is_content = address.kind == ResourceKind::kRole ||
                              address.kind == ResourceKind::kDatabase ||
                              address.is_inside_database();
            if (address.branch != branch || !is_content) continue;
            if (change->kind == ChangeKind::kCreate) managed.erase(address);
            bool is_gone =
                change->kind == ChangeKind::kDelete || change->kind == ChangeKind::kForget;
            if (is_gone) {
                managed.put(address, {.origin = change->origin, .version = generation.number});
            }
        }
    }
    return managed;
}

}  // namespace lb::engine
