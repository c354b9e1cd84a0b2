// Names that lb gives to what must not be seen yet or no more: databases and roles of an apply in
// progress. They hold a hash of the transaction's name (which is longer than PostgreSQL's names may
// be) and can be told from anything that a user would call something.
#pragma once

#include <string>
#include <string_view>

namespace lb::engine {

// The start of the names of all prepared transactions of lb.
inline constexpr std::string_view kTransactionPrefix = "lb-";

// Of what an apply prepares inside of its n-th database: the apply's own name, which has no slash,
// with a slash and the number.
std::string content_transaction_name(std::string_view transaction_name, size_t number);
// The apply's own name again, of either.
std::string_view apply_transaction_name(std::string_view transaction_name);

// "lb_new_0123456789abcdef_": roles and databases that wait for the commit.
std::string pending_prefix(std::string_view transaction_name);
// "lb_old_0123456789abcdef_": databases and roles that the commit has given up.
std::string discarded_prefix(std::string_view transaction_name);

// True for the exact shape of either, of any transaction.
bool is_transaction_name(std::string_view name);

}  // namespace lb::engine
