// The file operations of a script.
#include <algorithm>

#include "base/text.h"
#include "tests/store/store_script.h"

namespace lb::store {

namespace {

constexpr std::array<const char*, 9> kNames{
    "a", "b", "ab", "a.b", "pg_wal", "pg_stat_tmp", "pgsql_tmp12", "pgsql_tmp", "postmaster.pid"};
constexpr std::array<const char*, 7> kTargets{"a", "../b", "a/../b", "/etc", "../..", "", "./a/b"};
// Around blocks, and around the 64 blocks that are looked up together.
constexpr std::array<uint64_t, 16> kSizes{0,
                                          1,
                                          100,
                                          8191,
                                          8192,
                                          8193,
                                          16384,
                                          3 * 8192 + 5,
                                          40000,
                                          63 * 8192,
                                          64 * 8192 - 1,
                                          64 * 8192,
                                          64 * 8192 + 1,
                                          66 * 8192,
                                          128 * 8192,
                                          130 * 8192 + 7};

uint32_t depth_of(const ModelTree& tree, uint64_t directory) {
    uint32_t depth = 0;
    for (; directory != kRootInode.value(); depth++) directory = tree.at(directory).parent;
    return depth;
}

bool is_allowed_target(std::string_view target, uint32_t depth) {
    if (target == "a" || target == "./a/b") return true;
    if (target == "../b") return depth >= 1;
    return target == "../.." && depth >= 2;
}

std::set<ErrorCode> target_errors(std::string_view target, uint32_t depth) {
    if (target.empty()) return {ErrorCode::kStoreInvalid};
    if (!is_allowed_target(target, depth)) return {ErrorCode::kStoreNotSupported};
    return {};
}

}  // namespace

std::string pattern(uint64_t seed, size_t size) {
    if (seed % 5 == 0) return std::string(size, '\0');
    std::string text(size, '\0');
    for (size_t i = 0; i < size; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        text[i] = static_cast<char>(seed >> 56);
    }
    return text;
}

// True if the operation was expected to succeed and did. A refused one must have changed nothing.
template <class Outcome>
bool ScriptRunner::check(const Outcome& outcome, const Expected& expected) {
    if (outcome.is_ok()) {
        RC_ASSERT(expected.empty());
        return true;
    }
    bool is_refused = is_disk_full_ && outcome.error().code == ErrorCode::kStoreFull;
    if (!is_refused && !expected.contains(outcome.error().code)) RC_FAIL(to_text(outcome.error()));
    RC_ASSERT(store_->position().value() == position_before_);
    return false;
}

template <class Edit>
void ScriptRunner::edit(LineId line, const Edit& edit) {
    auto copy = std::make_shared<ModelTree>(tree(line));
    edit(*copy);
    model_.lines.at(line).snapshots[store_->position().value()] = std::move(copy);
}

const ModelTree& ScriptRunner::tree(LineId line) { return *model_.lines.at(line).head(); }

uint64_t ScriptRunner::pick_directory(LineId line, uint32_t choice) {
    std::vector<uint64_t> directories;
    for (const auto& [inode, node] : reachable(tree(line))) {
        if (node.type == FileType::kDirectory) directories.push_back(inode);
    }
    return directories[choice % directories.size()];
}

uint64_t ScriptRunner::pick_file(LineId line, uint32_t choice) {
    std::vector<uint64_t> files;
    ModelTree visible = reachable(tree(line));
    for (const auto& [inode, node] : tree(line)) {
        bool is_usable = visible.contains(inode) || is_open(line, inode);
        if (node.type == FileType::kFile && is_usable) files.push_back(inode);
    }
    return files.empty() ? 0 : files[choice % files.size()];
}

bool ScriptRunner::is_open(LineId line, uint64_t inode) const {
    return std::ranges::any_of(open_files_, [&](const OpenFile& file) {
        return file.line == line && file.inode == inode;
    });
}

void ScriptRunner::create(const Step& step, LineId line) {
    uint64_t directory = pick_directory(line, step.b);
    std::string name = kNames[step.c % kNames.size()];
    NewFile file{.type = FileType::kFile, .mode = step.d & 0777};
    if (step.action == Action::kCreateDirectory) file.type = FileType::kDirectory;
    Expected expected;
    if (tree(line).at(directory).children.contains(name)) expected = {ErrorCode::kStoreExists};
    if (step.action == Action::kCreateSymlink) {
        file.type = FileType::kSymlink;
        file.symlink_target = kTargets[step.d % kTargets.size()];
        expected.merge(target_errors(file.symlink_target, depth_of(tree(line), directory)));
    }
    auto created = store_->create(line, InodeId{directory}, name, file);
    if (!check(created, expected)) return;
    uint64_t inode = created->inode.value();
    RC_ASSERT(!tree(line).contains(inode));
    edit(line, [&](ModelTree& copy) {
        copy[inode] = {.type = file.type,
                       .mode = file.mode,
                       .contents = std::make_shared<std::string>(file.symlink_target),
                       .parent = directory};
        copy.at(directory).children[name] = inode;
    });
}

void ScriptRunner::write(const Step& step, LineId line) {
    uint64_t inode = pick_file(line, step.b);
    if (inode == 0) return;
    std::string contents = *tree(line).at(inode).contents;
    uint64_t offset = step.c % 3 == 0 ? contents.size() : kSizes[step.c % kSizes.size()];
    std::string data = pattern(step.d, std::max<uint64_t>(1, kSizes[step.d % 13]));
    auto written = store_->write(line, InodeId{inode}, offset, as_bytes(data));
    if (!check(written, {})) return;
    if (contents.size() < offset + data.size()) contents.resize(offset + data.size());
    contents.replace(offset, data.size(), data);
    RC_ASSERT(written->size_bytes == contents.size());
    RC_ASSERT(written->last_sequence == store_->position().value());
    edit(line, [&](ModelTree& copy) {
        copy.at(inode).contents = std::make_shared<std::string>(std::move(contents));
    });
}

void ScriptRunner::resize(const Step& step, LineId line) {
    uint64_t inode = pick_file(line, step.b);
    if (inode == 0) return;
    std::string contents = *tree(line).at(inode).contents;
    uint32_t mode = tree(line).at(inode).mode;
    uint64_t first = kSizes[step.c % kSizes.size()];
    uint64_t second = kSizes[step.d % kSizes.size()];
    Status outcome;
    if (step.action == Action::kAllocate) {
        outcome = store_->allocate(line, InodeId{inode}, first, second);
        if (contents.size() < first + second) contents.resize(first + second);
    } else if (step.action == Action::kZero) {
        outcome = store_->zero(line, InodeId{inode}, first, second);
        for (uint64_t i = first; i < std::min(first + second, contents.size()); i++) {
            contents[i] = '\0';
        }
    } else {
        AttributeChanges changes;
        if (step.action == Action::kChangeMode) changes.mode = mode = step.c & 0777;
        if (step.action == Action::kResize) changes.size_bytes = first;
        auto changed = store_->set_attributes(line, InodeId{inode}, changes);
        if (!changed.is_ok()) outcome = std::move(changed).error();
        if (step.action == Action::kResize) contents.resize(first);
    }
    if (!check(outcome, {})) return;
    edit(line, [&](ModelTree& copy) {
        copy.at(inode).contents = std::make_shared<std::string>(std::move(contents));
        copy.at(inode).mode = mode;
    });
}

void ScriptRunner::drop_link(ModelTree& tree, LineId line, uint64_t inode) {
    ModelNode& node = tree.at(inode);
    if (--node.link_count == 0 && !is_open(line, inode)) tree.erase(inode);
}

void ScriptRunner::remove(const Step& step, LineId line) {
    uint64_t directory = pick_directory(line, step.b);
    std::string name = kNames[step.c % kNames.size()];
    const auto& children = tree(line).at(directory).children;
    bool wants_directory = step.action == Action::kRemoveDirectory;
    auto child = children.find(name);
    Expected expected;
    if (child == children.end()) {
        expected = {ErrorCode::kStoreNotFound};
    } else {
        const ModelNode& node = tree(line).at(child->second);
        bool is_directory = node.type == FileType::kDirectory;
        if (wants_directory && !is_directory) expected = {ErrorCode::kStoreNotDirectory};
        if (!wants_directory && is_directory) expected = {ErrorCode::kStoreIsDirectory};
        if (wants_directory && !node.children.empty()) expected = {ErrorCode::kStoreNotEmpty};
    }
    Status removed = store_->remove(line, InodeId{directory}, name,
                                    wants_directory ? FileType::kDirectory : FileType::kFile);
    if (!check(removed, expected)) return;
    uint64_t inode = child->second;
    edit(line, [&](ModelTree& copy) {
        copy.at(directory).children.erase(name);
        drop_link(copy, line, inode);
    });
}

ScriptRunner::Expected ScriptRunner::replace_errors(LineId line, uint64_t moved,
                                                    uint64_t replaced) {
    const ModelNode& source = tree(line).at(moved);
    const ModelNode& target = tree(line).at(replaced);
    bool is_directory = source.type == FileType::kDirectory;
    bool is_target_directory = target.type == FileType::kDirectory;
    if (is_directory && !is_target_directory) return {ErrorCode::kStoreNotDirectory};
    if (!is_directory && is_target_directory) return {ErrorCode::kStoreIsDirectory};
    if (!target.children.empty()) return {ErrorCode::kStoreNotEmpty};
    return {};
}

void ScriptRunner::rename(const Step& step, LineId line) {
    uint64_t from = pick_directory(line, step.b);
    uint64_t to = pick_directory(line, step.c);
    std::string name = kNames[step.b / 7 % kNames.size()];
    std::string new_name = kNames[step.d % kNames.size()];
    RenameMode mode = step.d % 5 == 0 ? RenameMode::kNoReplace : RenameMode::kReplace;
    const ModelTree& now = tree(line);
    auto source = now.at(from).children.find(name);
    auto target = now.at(to).children.find(new_name);
    bool replaces = target != now.at(to).children.end();
    bool is_same = false;
    Expected expected;
    if (source == now.at(from).children.end()) {
        expected = {ErrorCode::kStoreNotFound};
    } else {
        is_same = replaces && target->second == source->second;
        if (replaces && mode == RenameMode::kNoReplace) {
            expected = {ErrorCode::kStoreExists};
        } else if (replaces && !is_same) {
            expected = replace_errors(line, source->second, target->second);
        }
        const ModelNode& moved = now.at(source->second);
        if (moved.type == FileType::kSymlink && from != to && !is_same) {
            expected.merge(target_errors(*moved.contents, depth_of(now, to)));
        }
        if (moved.type == FileType::kDirectory) {
            for (uint64_t at = to; at != kRootInode.value(); at = now.at(at).parent) {
                if (at == source->second) expected.insert(ErrorCode::kStoreInvalid);
            }
        }
    }
    Status renamed = store_->rename(line, InodeId{from}, name, InodeId{to}, new_name, mode);
    if (!check(renamed, expected) || is_same) return;
    uint64_t inode = source->second;
    uint64_t replaced = replaces ? target->second : 0;
    edit(line, [&](ModelTree& copy) {
        copy.at(from).children.erase(name);
        copy.at(to).children[new_name] = inode;
        copy.at(inode).parent = to;
        if (replaced != 0) drop_link(copy, line, replaced);
    });
}

void ScriptRunner::link(const Step& step, LineId line) {
    uint64_t inode = pick_file(line, step.b);
    uint64_t directory = pick_directory(line, step.c);
    std::string name = kNames[step.d % kNames.size()];
    if (inode == 0) return;
    Expected expected;
    if (tree(line).at(directory).children.contains(name)) expected = {ErrorCode::kStoreExists};
    if (tree(line).at(inode).link_count == 0) expected.insert(ErrorCode::kStoreNotFound);
    auto linked = store_->link(line, InodeId{inode}, InodeId{directory}, name);
    if (!check(linked, expected)) return;
    edit(line, [&](ModelTree& copy) {
        copy.at(directory).children[name] = inode;
        copy.at(inode).link_count++;
    });
}

}  // namespace lb::store
