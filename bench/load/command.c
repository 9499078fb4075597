/*
 * command.c - command templates: words, and what is filled into them.
 */
#include "command.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shoal/base/mem.h"
#include "shoal/base/must.h"

static const struct {
    const char *text;
    enum part part;
} MARKS[] = {
    { "__key__", PART_KEY },
    { "__data__", PART_DATA },
    { "__rand_int__", PART_RAND },
    { "__ttl__", PART_TTL },
};

/* redis-benchmark's tests in its order; a test may prepare another, as its lrange does. */
static const struct {
    const char *test, *text;
} TESTS[] = {
    { "ping", "PING" },
    { "ping_inline", "PING" },
    { "ping_mbulk", "PING" },
    { "set", "SET __key__ __data__" },
    { "get", "GET __key__" },
    { "incr", "INCR counter:__rand_int__" },
    { "lpush", "LPUSH mylist __data__" },
    { "rpush", "RPUSH mylist __data__" },
    { "lpop", "LPOP mylist" },
    { "rpop", "RPOP mylist" },
    { "sadd", "SADD myset element:__rand_int__" },
    { "hset", "HSET myhash element:__rand_int__ __data__" },
    { "spop", "SPOP myset" },
    { "zadd", "ZADD myzset __rand_int__ element:__rand_int__" },
    { "zpopmin", "ZPOPMIN myzset" },
    { "lrange_100", "LRANGE mylist 0 99" },
    { "lrange_300", "LRANGE mylist 0 299" },
    { "lrange_500", "LRANGE mylist 0 499" },
    { "lrange_600", "LRANGE mylist 0 599" },
    { "mset", "MSET __key__ __data__ __key__ __data__ __key__ __data__ __key__ __data__ __key__ "
              "__data__ __key__ __data__ __key__ __data__ __key__ __data__ __key__ __data__ "
              "__key__ __data__" },
    { "del", "DEL __key__" },
};

const char *command_of_test(const char *test)
{
    for (size_t i = 0; i < sizeof(TESTS) / sizeof(TESTS[0]); i++) {
        if (strcasecmp(TESTS[i].test, test) == 0)
            return TESTS[i].text;
    }
    return NULL;
}

static char *copy(const char *text, size_t size)
{
    char *result = mem_must_alloc(size + 1);
    memcpy(result, text, size);
    result[size] = '\0';
    return result;
}

static struct arg arg_parse(const char *word, size_t size)
{
    char *text = copy(word, size);
    for (size_t i = 0; i < sizeof(MARKS) / sizeof(MARKS[0]); i++) {
        char *mark = strstr(text, MARKS[i].text);
        if (mark == NULL)
            continue;
        struct arg arg = { .part = MARKS[i].part, .before = copy(text, (size_t)(mark - text)) };
        const char *after = mark + strlen(MARKS[i].text);
        arg.after = copy(after, strlen(after));
        free(text);
        return arg;
    }
    return (struct arg){ .part = PART_TEXT, .before = text, .after = copy("", 0) };
}

static bool command_add(struct command *command, const char *word, size_t size)
{
    if (command->argc == COMMAND_ARGS_MAX)
        return false;
    command->args[command->argc++] = arg_parse(word, size);
    return true;
}

static enum op op_of(const struct command *command)
{
    const char *word = command->args[0].before;
    if (command->args[0].part != PART_TEXT)
        return OP_OTHER;
    if (strcasecmp(word, "GET") == 0 || strcasecmp(word, "MGET") == 0)
        return OP_GET;
    if (strcasecmp(word, "SET") == 0)
        return OP_SET;
    return strcasecmp(word, "DEL") == 0 ? OP_DEL : OP_OTHER;
}

static struct command *command_new(const char *name)
{
    struct command *command = mem_must_zalloc(sizeof(*command));
    snprintf(command->name, sizeof(command->name), "%s", name);
    command->args = mem_must_zalloc(sizeof(*command->args) * COMMAND_ARGS_MAX);
    return command;
}

static struct command *command_finish(struct command *command, bool good)
{
    if (!good || command->argc == 0)
        command_free(&command);
    else
        command->op = op_of(command);
    return command;
}

struct command *command_from_words(const char *name, uint32_t count, const char *const *words)
{
    struct command *command = command_new(name);
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++)
        good = command_add(command, words[i], strlen(words[i]));
    return command_finish(command, good);
}

struct command *command_parse(const char *name, const char *text)
{
    struct command *command = command_new(name);
    bool good = true;
    while (good) {
        while (isspace((unsigned char)*text))
            text++;
        if (*text == '\0')
            break;
        char quote = *text == '"' || *text == '\'' ? *text++ : 0;
        const char *end = text;
        while (*end != '\0' && (quote ? *end != quote : !isspace((unsigned char)*end)))
            end++;
        good = (!quote || *end == quote) && command_add(command, text, (size_t)(end - text));
        text = end + (quote && *end);
    }
    return command_finish(command, good);
}

struct command *command_get(uint32_t keys)
{
    const char *words[COMMAND_ARGS_MAX] = { keys > 1 ? "MGET" : "GET" };
    must(keys >= 1 && keys < COMMAND_ARGS_MAX);
    for (uint32_t i = 0; i < keys; i++)
        words[1 + i] = "__key__";
    return command_from_words(words[0], 1 + keys, words);
}

struct command *command_set(bool ttl)
{
    return command_parse("SET", ttl ? "SET __key__ __data__ PX __ttl__" : "SET __key__ __data__");
}

struct command *command_del(void)
{
    return command_parse("DEL", "DEL __key__");
}

void command_free(struct command **command)
{
    if (*command == NULL)
        return;
    for (uint32_t i = 0; i < (*command)->argc; i++) {
        free((*command)->args[i].before);
        free((*command)->args[i].after);
    }
    free((*command)->args);
    free(*command);
    *command = NULL;
}

bool command_has(const struct command *command, enum part part)
{
    for (uint32_t i = 0; i < command->argc; i++) {
        if (command->args[i].part == part)
            return true;
    }
    return false;
}

void mix_add(struct mix *mix, struct command *command, uint32_t weight)
{
    must(mix->count < MIX_COMMANDS_MAX && weight > 0);
    mix->command[mix->count] = command;
    mix->weight[mix->count++] = weight;
    mix->weight_sum += weight;
}

void mix_fini(struct mix *mix)
{
    for (uint32_t i = 0; i < mix->count; i++)
        command_free(&mix->command[i]);
    mix->count = 0;
}
