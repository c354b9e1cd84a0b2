#include "store/hidden_names.h"

namespace lb::store {

bool is_hidden_when_inherited(DirectoryRole directory, std::string_view name) {
    if (name.starts_with("pgsql_tmp")) return true;
    switch (directory) {
        case DirectoryRole::kRoot: return name == "postmaster.pid" || name == "postmaster.opts";
        case DirectoryRole::kStatisticsTemporary: return true;
        case DirectoryRole::kOther: return false;
    }
    return false;
}

}  // namespace lb::store
