/*
 * registry.c - the rows of all commands, and the look-up table over their names.
 *
 * Names are told apart by their first eight bytes in lower case, read as one number, and their
 * length: one multiplication, one probe and, for longer names only, a comparison of what is left.
 * The decoder asks only when a command differs from the one before; there a hash over all bytes of
 * the name and a comparison cost 73 instructions more, 4 % of a request (GET and SET in turn, 16 in
 * a batch, counted by callgrind). Written once at start-up, read by every thread after.
 */
#include "shoal/cmd/registry.h"

#include <assert.h>
#include <stdio.h>

#include "shoal/base/must.h"
#include "shoal/cmd/categories.h"

enum {
    PROBES = 1024, /* a power of two, twice the rows: chains stay near one probe */
    NAME_TEXT_MAX = 16 * 1024,
    HEAD_BYTES = 8,
};

struct probe {
    uint64_t head;
    const struct command *command;
    uint32_t size;
    uint32_t verify_from; /* offset from which the names are compared byte by byte */
};

static struct {
    struct command rows[REGISTRY_COMMANDS_MAX];
    const struct command *by_id[REGISTRY_COMMANDS_MAX];
    struct probe probes[PROBES];
    uint32_t row_count; /* rows in use, with the nameless ones that end sub-commands */
    uint32_t count, top_count;
    char names[NAME_TEXT_MAX]; /* full names of sub-commands */
    size_t names_size;
} registry;

/* The first eight bytes, zero-filled, without a copy of unknown length. */
static inline uint64_t head_of(struct bytes name)
{
    uint64_t head = 0;
    uint32_t low, high;
    if (name.size >= HEAD_BYTES) {
        memcpy(&head, name.data, HEAD_BYTES);
    } else if (name.size >= 4) {
        memcpy(&low, name.data, 4);
        memcpy(&high, name.data + name.size - 4, 4);
        head = low | (uint64_t)high << (8 * (name.size - 4));
    } else if (name.size > 0) {
        const unsigned char *data = (const unsigned char *)name.data;
        size_t last = name.size - 1;
        head = data[0] | (uint64_t)data[name.size / 2] << (8 * (name.size / 2)) |
               (uint64_t)data[last] << (8 * last);
    }
    /* Bit 5 is what tells cases apart. Other characters may become alike: see verify_from. */
    return head | 0x2020202020202020;
}

static inline uint32_t probe_index(uint64_t head, size_t size)
{
    return (uint32_t)(((head + size) * 0x9e3779b97f4a7c15) >> 54);
}
static_assert(PROBES == 1 << (64 - 54), "the shift keeps as many bits as there are probes");

const struct command *registry_find(struct bytes name)
{
    uint64_t head = head_of(name);
    for (uint32_t i = probe_index(head, name.size);; i = (i + 1) % PROBES) {
        const struct probe *probe = &registry.probes[i];
        if (probe->command == NULL)
            return NULL;
        if (probe->head != head || probe->size != name.size)
            continue;
        uint32_t from = probe->verify_from;
        if (from == name.size ||
            bytes_is(bytes_of(name.data + from, name.size - from), probe->command->name + from))
            return probe->command;
    }
}

const struct command *registry_find_sub(const struct command *command, struct bytes name)
{
    for (const struct command *sub = command->subs; sub != NULL && sub->name != NULL; sub++) {
        if (bytes_is(name, sub->name))
            return sub;
    }
    return NULL;
}

uint32_t registry_count(void)
{
    return registry.count;
}

uint32_t registry_top_count(void)
{
    return registry.top_count;
}

const struct command *registry_at(uint32_t id)
{
    must(id < registry.count);
    return registry.by_id[id];
}

/* Letters alone differ by bit 5 and nothing else: then the head says it all. */
static uint32_t verify_from(struct bytes name)
{
    size_t head = name.size < HEAD_BYTES ? name.size : HEAD_BYTES;
    for (size_t i = 0; i < head; i++) {
        if (name.data[i] < 'a' || name.data[i] > 'z')
            return 0;
    }
    return (uint32_t)head;
}

static void add_probe(const struct command *command)
{
    struct bytes name = bytes_str(command->name);
    must(registry_find(name) == NULL);
    uint64_t head = head_of(name);
    uint32_t i = probe_index(head, name.size);
    while (registry.probes[i].command != NULL)
        i = (i + 1) % PROBES;
    registry.probes[i] = (struct probe){
        .head = head,
        .command = command,
        .size = (uint32_t)name.size,
        .verify_from = verify_from(name),
    };
}

static struct command *add_row(const struct command *command)
{
    must(registry.row_count < REGISTRY_COMMANDS_MAX);
    struct command *row = &registry.rows[registry.row_count++];
    *row = *command;
    if (command->name != NULL) {
        row->id = (uint16_t)registry.count;
        row->full_name = command->name;
        row->categories = command_categories(command);
        registry.by_id[registry.count++] = row;
    }
    return row;
}

static const char *sub_name(const struct command *command, const struct command *sub)
{
    char *name = registry.names + registry.names_size;
    size_t left = sizeof(registry.names) - registry.names_size;
    int size = snprintf(name, left, "%s|%s", command->name, sub->name);
    must((size_t)size < left);
    registry.names_size += (size_t)size + 1;
    return name;
}

/* The copies stand together, with the row that ends them. */
static void add_subs(struct command *command)
{
    const struct command *sub = command->subs;
    const struct command *copies = &registry.rows[registry.row_count];
    for (; sub->name != NULL; sub++)
        add_row(sub)->full_name = sub_name(command, sub);
    add_row(sub);
    command->subs = copies;
}

void registry_init(const struct command *const *families, uint32_t family_count)
{
    memset(&registry, 0, sizeof(registry));
    for (uint32_t i = 0; i < family_count; i++) {
        for (const struct command *command = families[i]; command->name != NULL; command++)
            add_probe(add_row(command));
    }
    registry.top_count = registry.count;
    for (uint32_t i = 0; i < registry.top_count; i++) {
        if (registry.rows[i].subs != NULL)
            add_subs(&registry.rows[i]);
    }
}

static uint32_t last_key_index(const struct command *command, uint32_t argc)
{
    return command->last_key >= 0 ? (uint32_t)command->last_key
                                  : argc - (uint32_t)-command->last_key;
}

uint32_t command_key_first(const struct command *command, const struct args *args)
{
    bool writes;
    if (unlikely(command->keys != NULL))
        return command->keys(args, 0, &writes);
    uint32_t first = (uint32_t)command->first_key;
    return first < args->count ? first : 0;
}

uint32_t command_key_next(const struct command *command, const struct args *args, uint32_t index)
{
    bool writes;
    if (unlikely(command->keys != NULL))
        return command->keys(args, index, &writes);
    uint32_t next = index + (uint32_t)command->step;
    bool more = next <= last_key_index(command, args->count) && next < args->count;
    return more && command->step > 0 ? next : 0;
}

bool command_key_written(const struct command *command, const struct args *args, uint32_t index)
{
    bool writes = command->flags & CMD_WRITE;
    if (command->keys != NULL)
        command->keys(args, index - 1, &writes);
    return writes;
}
