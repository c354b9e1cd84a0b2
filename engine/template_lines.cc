#include "engine/template_lines.h"

#include "base/text.h"
#include "engine/compute.h"

namespace lb::engine {

namespace {

Result<TemplateRecord> make_template(Context& context, const PostgresInstallation& postgres) {
    LineId line = context.store().reserve_line();
    store::Commit creation;
    creation.create.push_back({.line = line});
    LB_TRY(context.store().commit(creation));
    Status made =
        run_initdb(postgres, context.pool.data_directory(line), context.options.postgres_user);
    TemplateRecord record{.line = line, .postgres_version = postgres.full_version};
    if (made.is_ok()) {
        store::Commit completion;
        completion.notes.push_back(
            {.key = template_key(postgres.major_version), .value = encode(record)});
        Result<Position> committed = context.store().commit(completion);
        if (committed.is_ok()) return record;
        made = std::move(committed).error();
    }
    store::Commit removal;
    removal.remove.push_back(line);
    Result<Position> removed = context.store().commit(removal);
    context.line_is_gone(line);
    Error error = std::move(made).error();
    if (!removed.is_ok()) {
        error = std::move(error).with(cat("and while cleaning up: ", removed.error().message));
    }
    return std::move(error).with(
        cat("while making the template of PostgreSQL ", postgres.major_version));
}

}  // namespace

Result<LineId> template_line(Context& context, uint32_t major_version,
                             const ProgressSink& progress) {
    PostgresInstallation postgres =
        LB_TRY(find_postgres(major_version, context.options.postgres_bin_directory));
    {
        std::lock_guard lock(context.catalog_mutex);
        auto found = context.catalog.templates().find(major_version);
        if (found != context.catalog.templates().end()) return found->second.line;
    }
    progress(
        {.step = "template.create",
         .message = cat("initialising PostgreSQL ", postgres.full_version, " (once per home)")});
    TemplateRecord record = LB_TRY(make_template(context, postgres));
    progress({.step = "template.created"});
    std::lock_guard lock(context.catalog_mutex);
    context.catalog.put_template(major_version, record);
    return record.line;
}

}  // namespace lb::engine
