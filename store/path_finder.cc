#include "store/path_finder.h"

#include "base/text.h"

namespace lb::store {

Result<std::string> path_of(Projection& projection, const Line& line, InodeId inode) {
    struct Place {
        InodeId directory;
        std::string path;
    };
    std::vector<Place> open = {{kRootInode, ""}};
    while (!open.empty()) {
        Place place = std::move(open.back());
        open.pop_back();
        const Directory* directory = LB_TRY(projection.directory(line, place.directory));
        for (const auto& [name, child] : *directory) {
            std::string path = place.path.empty() ? name : cat(place.path, "/", name);
            if (child.inode == inode) return path;
            if (child.type == FileType::kDirectory) open.push_back({child.inode, std::move(path)});
        }
    }
    return std::string();
}

}  // namespace lb::store
