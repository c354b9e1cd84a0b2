// FrameAudit: checks each frame of a replay against the state before it. By induction every state
// of every line is sound if the frames are: no line has to be walked.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "store/check.h"
#include "store/projection.h"

namespace lb::store {

class FrameAudit final : public ReplayAudit {
public:
    FrameAudit(Projection& projection, std::function<void(Problem)> report)
        : projection_(projection), report_(std::move(report)) {}

    Status before(const ReplayFrame& frame) override;
    Status after(const ReplayFrame& frame) override;
    Status refused(const ReplayFrame& frame, const ReplayRecord& record, Error error) override;

private:
    using FileKey = std::pair<LineId, InodeId>;
    // What the frame does to one file.
    struct Touched {
        bool existed = false;
        int64_t links_before = 0;
        int64_t names_added = 0;
        DataId data_before = {};
        uint64_t size_before_bytes = 0;
        const ReplayRecord* named_by = nullptr;  // an entry that leads to it
        FileType named_type = FileType::kFile;
    };

    Status note_inode(LineId line, InodeId inode, Touched** touched);
    Status note_dirent(const ReplayRecord& record);
    Status check_file(const FileKey& key, const Touched& touched);
    Status check_data(const ReplayRecord& record);
    void check_line(const ReplayFrame& frame, const ReplayRecord& record);
    void report(ProblemCode code, const ReplayRecord& record, std::string message);
    const Line* line_of(const ReplayRecord& record) const {
        return projection_.lines().find(LineId{record.header.line});
    }

    Projection& projection_;
    const std::function<void(Problem)> report_;
    std::map<FileKey, Touched> touched_;
    // Names that the frame changed so far: 0 for gone.
    std::map<std::tuple<LineId, InodeId, std::string>, InodeId> names_;
    const ReplayRecord* first_record_ = nullptr;
};

}  // namespace lb::store
