// Addresses in specs: of branches, and of the roles and databases of the default branch.
#pragma once

#include <optional>

#include "base/model/address.h"
#include "specs/internal/draft.h"

namespace lb::specs {

struct PlacedAddress {
    Address address;
    Place place;
};

// The value of a key that must be there. nullopt: reported.
std::optional<PlacedAddress> read_resource(const TableReader& table, std::string_view key,
                                           const SpecDraft& draft, Reporter& reporter);

}  // namespace lb::specs
