/*
 * move.c - RENAME, RENAMENX, COPY; MOVE.
 */
#include "shoal/base/hash.h"
#include "shoal/cmd/combine.h"
#include "shoal/cmd/errors.h"
#include "shoal/cmd/families.h"
#include "shoal/cmd/value.h"

/* What is asked for: args[1] to args[2]. */
struct move {
    uint8_t from_db, to_db;
    bool only_new;    /* not if the destination exists */
    bool keep_source; /* COPY */
    bool counts;      /* answers 1 or 0, not OK */
};

static struct key key_in(const struct exec *exec, uint32_t i, uint8_t db)
{
    struct key key = exec_key_at(exec, i);
    key.db = db;
    return key;
}

static bool is_same(const struct exec *exec, const struct move *move)
{
    return bytes_equal(exec_arg(exec, 1), exec_arg(exec, 2)) && move->from_db == move->to_db;
}

/* COPY's DB n and REPLACE. Returns NULL, or the error. */
static const char *parse_options(const struct args *args, int64_t databases, struct move *move)
{
    for (uint32_t i = 3; i < args->count; i++) {
        int64_t db;
        if (bytes_is(args_at(args, i), "replace")) {
            move->only_new = false;
        } else if (bytes_is(args_at(args, i), "db") && i + 1 < args->count) {
            if (!number_parse_i64(args_at(args, ++i), &db))
                return ERR_NOT_INTEGER;
            if (db < INT32_MIN || db > INT32_MAX)
                return ERR_NOT_INT;
            if (db < 0 || db >= databases)
                return ERR_NO_DATABASE;
            move->to_db = (uint8_t)db;
        } else {
            return ERR_SYNTAX;
        }
    }
    return NULL;
}

static const char *parse(const struct command *command, const struct args *args, uint8_t db,
                         const struct limits *limits, struct move *move)
{
    bool copy = strcmp(command->name, "copy") == 0;
    *move = (struct move){
        .from_db = db,
        .to_db = db,
        .only_new = strcmp(command->name, "rename") != 0,
        .keep_source = copy,
        .counts = strcmp(command->name, "rename") != 0,
    };
    return copy ? parse_options(args, limits->databases, move) : NULL;
}

static void move_reply(struct reply *reply, const struct move *move, bool found, bool put)
{
    if (!found && !move->keep_source)
        reply_error(reply, ERR_NO_KEY);
    else if (move->counts)
        reply_int(reply, put);
    else
        reply_ok(reply);
}

static bool may_put(struct exec *exec, const struct move *move)
{
    return !move->only_new || keyspace_find(exec->keyspace, key_in(exec, 2, move->to_db)) == NULL;
}

/* ---- over two shards ------------------------------------------------------- */

static bool move_good(const struct command *command, const struct args *args, uint8_t db,
                      const struct limits *limits)
{
    struct move move;
    return parse(command, args, db, limits, &move) == NULL;
}

/* False: memory is out or the shard has no room, which is replied. */
static bool put_operand(struct exec *exec, const struct move *move, const struct operand *source)
{
    struct key to = key_in(exec, 2, move->to_db);
    uint64_t cost = move->keep_source ? keyspace_cost(to.name.size, source->value.size) : 0;
    int64_t expire_ms = source->expire_ms != 0 ? source->expire_ms : KEYSPACE_NO_TTL;
    if (!exec_reserve(exec, cost, cost) || !value_store(exec, to, source->value, expire_ms))
        return false;
    if (source->resized)
        keyspace_mark_resized(exec->keyspace, to);
    return true;
}

static bool move_store(struct exec *exec, const struct operand *operands, uint32_t count)
{
    struct move move;
    (void)count;
    parse(exec->command, &exec->args, exec->db, exec_limits(exec), &move);
    bool put = operands->exists && may_put(exec, &move);
    if (put && !put_operand(exec, &move, operands))
        return false;
    move_reply(exec->reply, &move, operands->exists, put);
    return put;
}

static const struct combine rename_combine = { .destination = 2,
                                               .first_source = 1,
                                               .last_source = 1,
                                               .drops = true,
                                               .good = move_good,
                                               .store = move_store };
static const struct combine copy_combine = {
    .destination = 2, .first_source = 1, .last_source = 1, .good = move_good, .store = move_store
};

/* ---- on one shard ---------------------------------------------------------- */

/* Why the arguments cannot be done on one shard, or NULL. */
static const char *why_not(const struct exec *exec, struct move *move)
{
    const char *why = parse(exec->command, &exec->args, exec->db, exec_limits(exec), move);
    if (why == NULL && move->keep_source && is_same(exec, move))
        why = ERR_SAME_OBJECT;
    return why;
}

/* Makes room for a copy; RENAME gives back what it takes. */
static bool reserve(struct exec *exec, const struct move *move, const struct item *item)
{
    if (item == NULL || !move->keep_source)
        return true;
    uint64_t cost = keyspace_cost(exec_arg(exec, 2).size, 0) + item_footprint(item);
    return exec_reserve(exec, cost, cost);
}

static void move_command(struct exec *exec)
{
    struct move move;
    const char *why = why_not(exec, &move);
    if (why != NULL) {
        reply_error(exec->reply, why);
        return;
    }
    struct key from = key_in(exec, 1, move.from_db), to = key_in(exec, 2, move.to_db);
    if (!reserve(exec, &move, keyspace_find(exec->keyspace, from)))
        return;
    bool found = keyspace_find(exec->keyspace, from) != NULL;
    bool put = found && !is_same(exec, &move) && may_put(exec, &move);
    if (put && !(move.keep_source ? keyspace_copy(exec->keyspace, from, to)
                                  : keyspace_move(exec->keyspace, from, to)))
        reply_error(exec->reply, ERR_NO_MEMORY);
    else
        move_reply(exec->reply, &move, found, put);
}

/* The database of MOVE's second argument; false: the error is replied. */
static bool database_parse(struct exec *exec, uint8_t *db)
{
    int64_t number;
    if (!number_parse_i64(exec_arg(exec, 2), &number))
        reply_error(exec->reply, ERR_NOT_INTEGER);
    else if (number < INT32_MIN || number > INT32_MAX)
        reply_error(exec->reply, ERR_NOT_INT);
    else if (number < 0 || number >= exec_limits(exec)->databases)
        reply_error(exec->reply, ERR_NO_DATABASE);
    else if (number == exec->db)
        reply_error(exec->reply, ERR_SAME_OBJECT);
    else {
        *db = (uint8_t)number;
        return true;
    }
    return false;
}

/* MOVE is to a database, of the same shard. */
static void move_to_command(struct exec *exec)
{
    struct key from = exec_key(exec), to = from;
    if (!database_parse(exec, &to.db))
        return;
    bool moves =
        keyspace_find(exec->keyspace, from) != NULL && keyspace_find(exec->keyspace, to) == NULL;
    if (moves && !keyspace_move(exec->keyspace, from, to))
        reply_error(exec->reply, ERR_NO_MEMORY);
    else
        reply_int(exec->reply, moves);
}

/* clang-format off */
const struct command move_commands[] = {
    { .name = "rename", .arity = 3, .flags = CMD_WRITE,
      .route = ROUTE_COMBINE, KEYS(1, 2, 1), .shard = move_command, .combine = &rename_combine,
      .group = "generic", .since = "1.0.0", .complexity = "O(1), and the size of the value",
      .summary = "Renames a key and overwrites the destination.", .syntax = "key newkey" },
    { .name = "renamenx", .arity = 3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_COMBINE, KEYS(1, 2, 1), .shard = move_command, .combine = &rename_combine,
      .group = "generic", .since = "1.0.0", .complexity = "O(1), and the size of the value",
      .summary = "Renames a key unless the destination exists.", .syntax = "key newkey" },
    { .name = "copy", .arity = -3, .flags = CMD_WRITE | CMD_DENYOOM,
      .route = ROUTE_COMBINE, KEYS(1, 2, 1), .shard = move_command, .combine = &copy_combine,
      .group = "generic", .since = "6.2.0", .complexity = "O(N), when N is the size of the value",
      .summary = "Copies the value of a key to another key.", .syntax = "source destination [DB destination-db] [REPLACE]" },
    { .name = "move", .arity = 3, .flags = CMD_WRITE | CMD_FAST,
      .route = ROUTE_KEY, KEYS(1, 1, 1), .shard = move_to_command,
      .group = "generic", .since = "1.0.0", .complexity = "O(1)",
      .summary = "Moves a key to another database, unless it exists there.", .syntax = "key db" },
    { 0 },
};
/* clang-format on */
