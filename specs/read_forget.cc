// [[forget]]: what lb is to manage no more.
#include <algorithm>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/addresses.h"
#include "specs/internal/draft.h"

namespace lb::specs {

void read_forget(const TableReader& spec, SpecDraft& draft, Reporter& reporter) {
    for (const TomlValue* item : spec.tables("forget")) {
        TableReader reader(*item->get_if<TomlTable>(), kForgetRules, reporter, item->place);
        auto address = read_resource(reader, "address", draft, reporter);
        if (!address) continue;
        auto earlier = std::ranges::find(draft.forgotten, address->address, &ForgetDraft::address);
        if (earlier != draft.forgotten.end()) {
            reporter.conflict(codes::kListedTwice, address->place,
                              cat(to_text(address->address), " is forgotten twice"),
                              {.place = earlier->place, .message = "the other one"},
                              "remove one of the two");
            continue;
        }
        draft.forgotten.push_back({.address = address->address, .place = address->place});
    }
}

void check_forget(const SpecDraft& draft, Reporter& reporter) {
    for (const ForgetDraft& forgotten : draft.forgotten) {
        if (forgotten.address == Address::of_branch(draft.default_branch)) {
            reporter.error(codes::kForgetDeclared, forgotten.place,
                           "the default branch cannot be forgotten",
                           "remove this table; the project ends with its default branch");
            continue;
        }
        auto declared = place_of_declared(draft, forgotten.address);
        if (!declared) continue;
        reporter.conflict(codes::kForgetDeclared, forgotten.place,
                          cat(to_text(forgotten.address), " is forgotten and declared"),
                          {.place = *declared, .message = "declared here"},
                          "remove the declaration to forget it, or this table to keep it");
    }
}

}  // namespace lb::specs
