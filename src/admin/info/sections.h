/*
 * sections.h - the text of INFO under construction, and who writes which section. Private to
 * info_*.c and info.c.
 *
 * Everything comes from counters and settings; other reactors are only asked to bring theirs up to
 * date.
 */
#ifndef SHOAL_ADMIN_INFO_SECTIONS_H
#define SHOAL_ADMIN_INFO_SECTIONS_H

#include "shoal/admin/info/info.h"
#include "shoal/server/server.h"

struct info {
    struct reactor *here;
    const struct server *server;
    const struct settings *settings;
    char *text; /* malloc'ed */
    size_t size, capacity;
    bool no_memory;
};

/* Lines end in \r\n; the caller writes that too. */
void info_add(struct info *info, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same number twice: "used_memory:1048576" and "used_memory_human:1.00M". */
void info_add_bytes(struct info *info, const char *name, uint64_t bytes);

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
