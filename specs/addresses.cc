#include "specs/internal/addresses.h"

#include <algorithm>

#include "base/model/names.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/names.h"

namespace lb::specs {

namespace {

constexpr std::string_view kHelp =
    "write branch.NAME, role.BRANCH.NAME or database.BRANCH.NAME, with a name of other characters "
    "in double quotes";

Status check_names(const Address& address) {
    LB_TRY(check_branch_name(address.branch));
    if (address.kind == ResourceKind::kRole) return check_role_name(address.name);
    if (address.kind == ResourceKind::kDatabase) return check_database_name(address.name);
    return ok();
}

template <class Draft>
std::optional<Place> place_in(const std::vector<Draft>& drafts, const std::string& name) {
    auto at = std::lower_bound(
        drafts.begin(), drafts.end(), name,
        [](const Draft& draft, const std::string& wanted) { return draft.spec.name < wanted; });
    if (at == drafts.end() || at->spec.name != name) return std::nullopt;
    return at->name_place;
}

}  // namespace

std::optional<PlacedAddress> read_resource(const TableReader& table, std::string_view key,
                                           const SpecDraft& draft, Reporter& reporter) {
    auto text = table.text(key);
    if (table.find(key) == nullptr) table.report_missing(key);
    if (!text) return std::nullopt;
    auto report = [&](std::string message, std::string help) {
        reporter.error(codes::kInvalidResource, text->place, std::move(message), std::move(help));
        return std::nullopt;
    };
    Result<Address> address = parse_address(text->text);
    if (!address.is_ok()) {
        return report(cat(quoted(text->text), " is no address"), std::string(kHelp));
    }
    switch (address->kind) {
        case ResourceKind::kProject:
        case ResourceKind::kCompute:
        case ResourceKind::kSchema:
        case ResourceKind::kExtension:
            return report(cat(quoted(text->text), " is no branch, role or database"),
                          std::string(kHelp));
        case ResourceKind::kBranch: break;
        case ResourceKind::kRole:
        case ResourceKind::kDatabase:
            if (address->branch == draft.default_branch) break;
            return report(cat("the spec manages roles and databases of the default branch only"),
                          cat("write ", to_text(address->kind), ".", draft.default_branch, "."));
    }
    if (!check_name(check_names(*address), text->place, reporter)) return std::nullopt;
    return PlacedAddress{.address = *address, .place = text->place};
}

std::optional<Place> place_of_declared(const SpecDraft& draft, const Address& address) {
    switch (address.kind) {
        case ResourceKind::kProject: return draft.project_place;
        case ResourceKind::kBranch:
        case ResourceKind::kCompute: return place_in(draft.branches, address.branch);
        case ResourceKind::kRole: return place_in(draft.roles, address.name);
        case ResourceKind::kDatabase: return place_in(draft.databases, address.name);
        case ResourceKind::kSchema:
        case ResourceKind::kExtension: return place_in(draft.databases, address.database);
    }
    return std::nullopt;
}

}  // namespace lb::specs
