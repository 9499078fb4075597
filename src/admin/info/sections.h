/*
 * sections.h - the text of INFO under construction, and the functions that write its sections.
 *
 * Everything comes from counters and settings; other reactors are only asked to publish their
 * counters before.
 */
#ifndef SHOAL_ADMIN_INFO_SECTIONS_H
#define SHOAL_ADMIN_INFO_SECTIONS_H

#include "shoal/admin/info/commandstats.h"
#include "shoal/admin/info/memory.h"
#include "shoal/server/server.h"

struct info {
    struct reactor *here;
    const struct server *server;
    const struct settings *settings;
    const char *section; /* the title of the one that is being written */
    uint32_t row;        /* of the table of counters: the section's rows before it are written */
    char *text;          /* malloc'ed */
    size_t size, capacity;
    bool no_memory;
};

/* Lines end in \r\n; the caller writes that too. */
void info_add(struct info *info, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same number twice: "used_memory:1048576" and "used_memory_human:1.00M". */
void info_add_bytes(struct info *info, const char *name, uint64_t bytes);

/*
 * The lines of the section's counters (stats/counters.h) that are plain sums over the reactors: from
 * where the last call ended, up to and with the one at `offset` in struct reactor_stats. Those that
 * are left when the section has been written follow it by themselves.
 */
void info_counters_to(struct info *info, size_t offset);
#define COUNTERS_TO(info, field) info_counters_to((info), offsetof(struct reactor_stats, field))

/* Sections, without their header. */
void info_server(struct info *info);
void info_clients(struct info *info);
void info_memory(struct info *info);
void info_persistence(struct info *info);
void info_stats(struct info *info);
void info_replication(struct info *info);
void info_cpu(struct info *info);
void info_commandstats(struct info *info);
void info_errorstats(struct info *info);
void info_latencystats(struct info *info);
void info_cluster(struct info *info);
void info_keyspace(struct info *info);
void info_shoal(struct info *info);
void info_shards(struct info *info);

#endif
