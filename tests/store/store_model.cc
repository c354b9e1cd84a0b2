#include "tests/store/store_model.h"

#include "base/text.h"

namespace lb::store {

std::shared_ptr<const ModelTree> ModelLine::at(uint64_t position) const {
    auto after = snapshots.upper_bound(position);
    // Between its fork and its creation a line shows what it started with.
    return after == snapshots.begin() ? after->second : std::prev(after)->second;
}

ModelLine* StoreModel::live(LineId line) {
    auto found = lines.find(line);
    return found == lines.end() || found->second.deleted ? nullptr : &found->second;
}

std::vector<LineId> StoreModel::live_lines() const {
    std::vector<LineId> result;
    for (const auto& [id, line] : lines) {
        if (!line.deleted) result.push_back(id);
    }
    return result;
}

ModelTree StoreModel::inherit(const ModelTree& tree) {
    ModelTree result = tree;
    ModelNode& root = result.at(kRootInode.value());
    root.children.erase("postmaster.pid");
    root.children.erase("postmaster.opts");
    auto temporary = root.children.find("pg_stat_tmp");
    if (temporary != root.children.end()) result.at(temporary->second).children.clear();
    for (auto& [inode, node] : result) {
        std::erase_if(node.children,
                      [](const auto& child) { return child.first.starts_with("pgsql_tmp"); });
    }
    return result;
}

uint64_t StoreModel::logical_bytes(const ModelTree& tree) {
    uint64_t sum = 0;
    for (const auto& [inode, node] : tree) {
        if (node.type == FileType::kFile && node.link_count > 0) sum += node.contents->size();
    }
    return sum;
}

void StoreModel::roll_back(uint64_t position) {
    std::erase_if(lines, [&](const auto& line) { return line.second.created > position; });
    for (auto& [id, line] : lines) {
        if (line.deleted && *line.deleted > position) line.deleted.reset();
        line.snapshots.erase(line.snapshots.upper_bound(position), line.snapshots.end());
    }
    notes.erase(notes.upper_bound(position), notes.end());
}

ModelTree reachable(const ModelTree& tree) {
    ModelTree result;
    std::vector<uint64_t> waiting{kRootInode.value()};
    while (!waiting.empty()) {
        uint64_t inode = waiting.back();
        waiting.pop_back();
        if (result.contains(inode)) continue;
        const ModelNode& node = tree.at(inode);
        result.emplace(inode, node);
        for (const auto& [name, child] : node.children) waiting.push_back(child);
    }
    return result;
}

ModelTree read_tree(Store& store, LineId line) {
    ModelTree result;
    std::vector<InodeId> waiting{kRootInode};
    while (!waiting.empty()) {
        InodeId inode = waiting.back();
        waiting.pop_back();
        if (result.contains(inode.value())) continue;
        FileAttributes attributes = LB_MUST(store.attributes(line, inode));
        ModelNode node{
            .type = attributes.type, .mode = attributes.mode, .link_count = attributes.link_count};
        std::string text;
        switch (attributes.type) {
            case FileType::kFile:
                text.resize(attributes.size_bytes + 1);
                text.resize(LB_MUST(store.read(
                    line, inode, 0, std::as_writable_bytes(std::span(text.data(), text.size())))));
                break;
            case FileType::kSymlink: text = LB_MUST(store.symlink_target(line, inode)); break;
            case FileType::kDirectory:
                for (const DirectoryEntry& entry : LB_MUST(store.list(line, inode, "", 10000))) {
                    node.children[entry.name] = entry.inode.value();
                    waiting.push_back(entry.inode);
                }
                break;
        }
        node.contents = std::make_shared<std::string>(std::move(text));
        result.emplace(inode.value(), std::move(node));
    }
    return result;
}

namespace {

std::string first_difference(const std::string& expected, const std::string& actual) {
    if (expected.size() != actual.size()) {
        return cat("size ", actual.size(), " instead of ", expected.size());
    }
    for (size_t i = 0; i < expected.size(); i++) {
        if (expected[i] != actual[i]) return cat("byte ", i, " of ", expected.size());
    }
    return "nothing";
}

}  // namespace

std::string difference(const ModelTree& expected, const ModelTree& actual) {
    for (const auto& [inode, node] : expected) {
        auto found = actual.find(inode);
        if (found == actual.end()) return cat("inode ", inode, " is missing");
        if (node == found->second) continue;
        const ModelNode& other = found->second;
        if (node.children != other.children) {
            return cat("children of ", inode, ": ", other.children.size(), " instead of ",
                       node.children.size());
        }
        if (*node.contents != *other.contents) {
            return cat("contents of ", inode, ": ",
                       first_difference(*node.contents, *other.contents));
        }
        return cat("attributes of ", inode, ": links ", other.link_count, " instead of ",
                   node.link_count, ", mode ", other.mode, " instead of ", node.mode);
    }
    for (const auto& [inode, node] : actual) {
        if (!expected.contains(inode)) return cat("inode ", inode, " is too many");
    }
    return "";
}

}  // namespace lb::store
