#include <algorithm>

#include "base/codec.h"
#include "base/hash.h"
#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/key_rules.h"
#include "specs/internal/source_text.h"

namespace lb::specs {

namespace {

void set_file(TomlValue& value, uint16_t file) {
    value.place.file = file;
    if (auto* table = std::get_if<TomlTable>(&value.data)) set_file(*table, file);
    if (auto* items = std::get_if<TomlArray>(&value.data)) {
        for (TomlValue& item : *items) set_file(item, file);
    }
}

KeyType type_of(std::string_view key) {
    for (const KeyRule& rule : kSpecRules.keys) {
        if (rule.name == key) return rule.type;
    }
    return KeyType::kTable;
}

void report_twice(const std::string& name, const Place& first, const Place& second,
                  Reporter& reporter) {
    reporter.conflict(codes::kInTwoFiles, second, cat(name, " stands in two files"),
                      {.place = first, .message = "the other one"},
                      "keep one of the two, with the keys of both");
}

template <class Absorb>
void merge_tables(TomlTable& into, TomlTable from, Absorb absorb) {
    size_t known = into.size();
    for (TomlMember& member : from) {
        auto end = into.begin() + static_cast<ptrdiff_t>(known);
        auto at = std::lower_bound(
            into.begin(), end, member.key,
            [](const TomlMember& left, const std::string& key) { return left.key < key; });
        if (at != end && at->key == member.key) {
            absorb(*at, member);
        } else {
            into.push_back(std::move(member));
        }
    }
    std::inplace_merge(
        into.begin(), into.begin() + static_cast<ptrdiff_t>(known), into.end(),
        [](const TomlMember& left, const TomlMember& right) { return left.key < right.key; });
}

// The same key of the root in two files.
void merge_member(TomlMember& into, TomlMember& from, Reporter& reporter) {
    KeyType type = type_of(into.key);
    auto* items = std::get_if<TomlArray>(&into.value.data);
    auto* more_items = std::get_if<TomlArray>(&from.value.data);
    auto* table = std::get_if<TomlTable>(&into.value.data);
    auto* more_table = std::get_if<TomlTable>(&from.value.data);
    if (type == KeyType::kTableList && items != nullptr && more_items != nullptr) {
        std::move(more_items->begin(), more_items->end(), std::back_inserter(*items));
    } else if (type == KeyType::kNamedTables && table != nullptr && more_table != nullptr) {
        merge_tables(*table, std::move(*more_table), [&](TomlMember& first, TomlMember& second) {
            report_twice(cat("[", into.key, ".", first.key, "]"), first.key_place, second.key_place,
                         reporter);
        });
    } else {
        report_twice(cat("[", into.key, "]"), into.key_place, from.key_place, reporter);
    }
}

struct HashedValue {
    Encoder& encoder;

    void operator()(const std::string& text) const { put('s', text); }
    void operator()(int64_t integer) const { put('i', std::to_string(integer)); }
    void operator()(double real) const { put('f', std::to_string(real)); }
    void operator()(bool boolean) const { put('b', boolean ? "1" : "0"); }
    void operator()(const TomlTime& time) const { put('t', time.text); }
    void operator()(const TomlArray& items) const {
        put('[', std::to_string(items.size()));
        for (const TomlValue& item : items) std::visit(*this, item.data);
    }
    void operator()(const TomlTable& table) const {
        put('{', std::to_string(table.size()));
        for (const TomlMember& member : table) {
            encoder.text(member.key);
            std::visit(*this, member.value.data);
        }
    }

    void put(char kind, std::string_view text) const {
        encoder.u8(static_cast<uint8_t>(kind));
        encoder.text(text);
    }
};

}  // namespace

void set_file(TomlTable& table, uint16_t file) {
    for (TomlMember& member : table) {
        member.key_place.file = file;
        set_file(member.value, file);
    }
}

TomlTable merge_files(std::vector<TomlTable> files, Reporter& reporter) {
    TomlTable root = std::move(files.front());
    for (size_t index = 1; index < files.size(); ++index) {
        merge_tables(root, std::move(files[index]), [&](TomlMember& into, TomlMember& from) {
            merge_member(into, from, reporter);
        });
    }
    return root;
}

std::string content_hash(const TomlTable& table) {
    Encoder encoder;
    HashedValue{encoder}(table);
    std::byte bytes[sizeof(uint64_t)];
    store_little_endian(bytes, hash64(encoder.out()));
    return hex(as_text(bytes));
}

}  // namespace lb::specs
