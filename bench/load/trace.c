/*
 * trace.c - reading cache traces into memory.
 */
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shoal/base/mem.h"
#include "shoal/base/must.h"
#include "shoal/base/random.h"

enum { RECORD_BYTES = 24 };

/* id -> dense number: open addressing, grown at half full. */
struct numbering {
    uint64_t *id;
    uint32_t *number; /* plus one; 0 = free */
    uint64_t mask, used;
};

struct reading {
    struct trace *trace;
    struct numbering numbering;
    uint64_t requests_capacity, sizes_capacity;
};

static void numbering_resize(struct numbering *n, uint64_t capacity)
{
    struct numbering old = *n;
    n->id = mem_must_alloc(capacity * sizeof(*n->id));
    n->number = mem_must_zalloc(capacity * sizeof(*n->number));
    n->mask = capacity - 1;
    for (uint64_t i = 0; old.number != NULL && i <= old.mask; i++) {
        if (old.number[i] == 0)
            continue;
        uint64_t at = random_mix(old.id[i]) & n->mask;
        while (n->number[at] != 0)
            at = (at + 1) & n->mask;
        n->id[at] = old.id[i];
        n->number[at] = old.number[i];
    }
    free(old.id);
    free(old.number);
}

static uint32_t numbering_of(struct numbering *n, uint64_t id)
{
    if (n->number == NULL || n->used * 2 > n->mask)
        numbering_resize(n, n->number ? (n->mask + 1) * 2 : 1 << 16);
    uint64_t at = random_mix(id) & n->mask;
    while (n->number[at] != 0 && n->id[at] != id)
        at = (at + 1) & n->mask;
    if (n->number[at] == 0) {
        n->id[at] = id;
        n->number[at] = (uint32_t)++n->used;
    }
    return n->number[at] - 1;
}

static void *grown(void *array, uint64_t *capacity, uint64_t needed, size_t item)
{
    if (needed <= *capacity)
        return array;
    *capacity = needed * 2 + 1024;
    array = realloc(array, *capacity * item);
    must(array != NULL);
    return array;
}

static void add(struct reading *r, uint64_t id, uint32_t size)
{
    struct trace *trace = r->trace;
    uint32_t key = numbering_of(&r->numbering, id);
    must(trace->requests < TRACE_REQUESTS_MAX);
    trace->key = grown(trace->key, &r->requests_capacity, trace->requests + 1, sizeof(*trace->key));
    trace->key[trace->requests++] = key;
    trace->size = grown(trace->size, &r->sizes_capacity, r->numbering.used, sizeof(*trace->size));
    trace->size[key] = size;
    trace->unique = r->numbering.used;
}

static bool read_lis(struct reading *r, FILE *file)
{
    char line[256];
    uint64_t first, count;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%" SCNu64 " %" SCNu64, &first, &count) != 2 || count > 1 << 20)
            return false;
        for (uint64_t i = 0; i < count; i++)
            add(r, first + i, 0);
    }
    return true;
}

static bool read_oracle(struct reading *r, FILE *file)
{
    unsigned char record[RECORD_BYTES];
    size_t got;
    while ((got = fread(record, 1, sizeof(record), file)) == sizeof(record)) {
        uint64_t id;
        uint32_t size;
        memcpy(&id, record + 4, sizeof(id));
        memcpy(&size, record + 12, sizeof(size));
        add(r, id, size);
    }
    return got == 0;
}

/* `zstd -dc path` without a shell between: the path may hold anything. */
static FILE *open_zstd(const char *path, pid_t *pid)
{
    int ends[2];
    if (pipe(ends) != 0)
        return NULL;
    *pid = fork();
    if (*pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execlp("zstd", "zstd", "-dcq", "--", path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    return fdopen(ends[0], "r");
}

static bool read_file(struct reading *r, const char *path, FILE *file)
{
    if (strstr(path, ".lis") != NULL)
        return read_lis(r, file);
    return strstr(path, "oracleGeneral") != NULL && read_oracle(r, file);
}

struct trace *trace_load(const char *path, char *error)
{
    struct reading reading = { .trace = mem_must_zalloc(sizeof(struct trace)) };
    size_t size = strlen(path);
    bool packed = size > 4 && strcmp(path + size - 4, ".zst") == 0;
    pid_t pid = 0;
    int status = 0;
    FILE *file = packed ? open_zstd(path, &pid) : fopen(path, "r");
    if (file == NULL) {
        snprintf(error, 256, "%.200s: %s", path, strerror(errno));
        trace_free(&reading.trace);
        return NULL;
    }
    bool good = read_file(&reading, path, file) && reading.trace->requests > 0;
    fclose(file);
    if (packed)
        good = waitpid(pid, &status, 0) == pid && status == 0 && good;
    if (!good) {
        snprintf(error, 256, "%.150s: not a .lis or oracleGeneral trace, or damaged", path);
        trace_free(&reading.trace);
    }
    free(reading.numbering.id);
    free(reading.numbering.number);
    return reading.trace;
}

void trace_free(struct trace **trace)
{
    if (*trace != NULL) {
        free((*trace)->key);
        free((*trace)->size);
    }
    free(*trace);
    *trace = NULL;
}
