/*
 * suite.c - builds the tests and runs them one after another.
 */
#include "suite.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocking_socket.h"
#include "load/trace.h"
#include "load/verify.h"

/* ---- which tests --------------------------------------------------------- */

static struct command *get_or_set(const struct options *options, enum op op)
{
    if (op == OP_GET)
        return command_get((uint32_t)options->mget);
    return op == OP_SET ? command_set(options->ttl != NULL) : command_del();
}

static void mix_of_ratio(const struct options *options, struct mix *mix)
{
    unsigned weight[3] = { 0 };
    char rest;
    int fields = sscanf(options->ratio, "%u:%u:%u%c", &weight[0], &weight[1], &weight[2], &rest);
    if (fields < 2 || fields > 3 || weight[0] + weight[1] + weight[2] == 0)
        options_refuse("--ratio is get:set or get:set:del");
    for (enum op op = OP_GET; op <= OP_DEL; op++) {
        if (weight[op] > 0)
            mix_add(mix, get_or_set(options, op), weight[op]);
    }
    snprintf(mix->name, sizeof(mix->name), "%s %s", fields == 3 ? "GET:SET:DEL" : "GET:SET",
             options->ratio);
}

static void mix_of_trace(const struct options *options, struct mix *mix)
{
    mix_add(mix, command_get(1), 1);
    mix_add(mix, command_set(options->ttl != NULL), 1);
    snprintf(mix->name, sizeof(mix->name), "trace");
}

static void mix_of_command(struct mix *mix, struct command *command)
{
    if (command == NULL)
        options_refuse("the command is empty, has an open quote or more than %d words",
                       COMMAND_ARGS_MAX);
    mix_add(mix, command, 1);
    snprintf(mix->name, sizeof(mix->name), "%s", command->name);
}

static void mix_of_test(const struct options *options, struct mix *mix, const char *test)
{
    char name[COMMAND_NAME_MAX] = "";
    const char *text = command_of_test(test);
    if (text == NULL)
        options_refuse("no test \"%s\"", test);
    for (size_t i = 0; test[i] != '\0' && i + 1 < sizeof(name); i++)
        name[i] = (char)toupper((unsigned char)test[i]);
    if (strcmp(name, "GET") == 0 || strcmp(name, "SET") == 0)
        mix_add(mix, get_or_set(options, name[0] == 'G' ? OP_GET : OP_SET), 1);
    else
        mix_add(mix, command_parse(name, text), 1);
    snprintf(mix->name, sizeof(mix->name), "%s",
             strcmp(name, "GET") == 0 && options->mget > 1 ? "MGET" : name);
}

static uint32_t mixes_of_tests(const struct options *options, struct mix *mixes)
{
    char *list = strdup(options->tests ? options->tests : "set,get"), *save;
    uint32_t count = 0;
    for (char *test = strtok_r(list, ",", &save); test; test = strtok_r(NULL, ",", &save)) {
        if (count == TESTS_MAX)
            options_refuse("at most %d tests", TESTS_MAX);
        mix_of_test(options, &mixes[count++], test);
    }
    free(list);
    return count;
}

uint32_t suite_mixes(const struct options *options, struct mix mixes[TESTS_MAX])
{
    memset(mixes, 0, sizeof(*mixes) * TESTS_MAX);
    if (options->trace != NULL)
        mix_of_trace(options, &mixes[0]);
    else if (options->word_count > 0)
        mix_of_command(&mixes[0],
                       command_from_words(options->words[0], (uint32_t)options->word_count,
                                          (const char *const *)options->words));
    else if (options->command != NULL)
        mix_of_command(&mixes[0], command_parse(options->command, options->command));
    else if (options->ratio != NULL || (options->verify && options->tests == NULL))
        mix_of_ratio(options->ratio
                         ? options
                         : &(struct options){ .ratio = "8:2", .mget = 1, .ttl = options->ttl },
                     &mixes[0]);
    else
        return mixes_of_tests(options, mixes);
    return 1;
}

/* ---- the server that is asked -------------------------------------------- */

static void ask_facts(int fd, const struct protocol *protocol, struct server_facts *facts)
{
    struct answer answer;
    long number;
    if (!socket_ask(fd, protocol, protocol->resp ? "INFO" : "stats", &answer))
        return;
    if (answer_number(answer.text, protocol->resp ? "process_id" : "pid", &number))
        facts->pid = (pid_t)number;
    if (answer_number(answer.text, "shards", &number))
        facts->shards = (int)number;
    const char *version = protocol->resp ? NULL : strstr(answer.text, "STAT version ");
    if (version != NULL)
        sscanf(version, "STAT version %15[0-9.]", facts->version);
    answer_fini(&answer);
}

bool suite_probe(const struct load *load, struct server_facts *facts, char *error)
{
    int fd = socket_login(&load->target, error);
    *facts = (struct server_facts){ .pid = 0 };
    if (fd < 0)
        return false;
    if (socket_is_local(fd)) {
        ask_facts(fd, load->target.protocol, facts);
        if (facts->pid == 0 && load->target.socket != NULL)
            facts->pid = socket_peer_pid(fd);
    }
    close(fd);
    return true;
}

static void flush(const struct load *load)
{
    char error[ERROR_TEXT_MAX];
    struct answer answer;
    int fd = socket_login(&load->target, error);
    if (fd < 0 || !socket_ask(fd, load->target.protocol,
                              load->target.protocol->resp ? "FLUSHALL" : "flush_all", &answer))
        options_refuse("the server cannot be emptied");
    if (answer.kind == REPLY_ERROR)
        options_refuse("the server cannot be emptied: %s", answer.text);
    answer_fini(&answer);
    close(fd);
}

/* ---- runs ---------------------------------------------------------------- */

void suite_run_once(const struct options *options, const struct load *load, const char *server,
                    const struct server_facts *facts, struct result *result)
{
    struct run_options run = {
        .server_pid = options->server_pid ? (pid_t)options->server_pid : facts->pid,
        .progress = true,
        .label = load->mix->name,
    };
    if (result->runs == RUNS_MAX)
        return;
    snprintf(result->name, sizeof(result->name), "%s", load->mix->name);
    snprintf(result->server, sizeof(result->server), "%s", server);
    snprintf(result->transport, sizeof(result->transport), "%s",
             load->target.socket ? "unix" : "tcp");
    result->pipeline = load->pipeline;
    result->clients = load->clients;
    result->threads = load->threads;
    result->shards = facts->shards;
    snprintf(result->version, sizeof(result->version), "%s", facts->version);
    result->open_loop = load->rate > 0;
    run_execute(load, &run, &result->run[result->runs++]);
}

/* -n and -r say how long a made-up trace is and how many keys it has; all of it is replayed. */
static void prepare_trace(struct options *options)
{
    static char error[ERROR_TEXT_MAX];
    struct load *load = &options->load;
    uint64_t requests = load->requests > 0 ? load->requests : REQUESTS_DEFAULT;
    load->trace = trace_make(options->trace, load->keys, requests, load->seed);
    if (load->trace != NULL)
        load->requests = 0;
    else if ((load->trace = trace_load(options->trace, error)) == NULL)
        options_refuse("%s", error);
    if (!key_name_init(&load->key_name, load->key_name.size, load->trace->unique))
        options_refuse("--key-size is too small for the trace's keys");
}

static void load_prepare(struct options *options, struct mix *mixes,
                         const struct server_facts *facts)
{
    static char error[ERROR_TEXT_MAX];
    struct load *load = &options->load;
    load->mix = &mixes[0];
    if (load->shards == 0)
        load->shards = facts->shards > 0 ? (uint32_t)facts->shards : 1;
    if (load->cross_share >= 0 && load->shards < 2)
        options_refuse("--cross-shard needs a server with two shards or more (--shards)");
    if (options->trace != NULL)
        prepare_trace(options);
    if (options->verify)
        load->verify = verify_new(load->keys, (uint32_t)getpid(), options->ttl != NULL);
    if ((options->preload || options->verify) && !run_preload(load, error))
        options_refuse("writing the keys: %s", error);
}

uint32_t suite_run(struct options *options, struct result *results, struct mix mixes[TESTS_MAX],
                   result_fn *done)
{
    char error[ERROR_TEXT_MAX];
    struct server_facts facts;
    struct load *load = &options->load;
    uint32_t count = suite_mixes(options, mixes), tests = 0;
    if (!suite_probe(load, &facts, error))
        options_refuse("no server: %s", error);
    if (options->flush)
        flush(load);
    load_prepare(options, mixes, &facts);
    for (uint32_t i = 0; i < count && !run_interrupted(); i++) {
        load->mix = &mixes[i];
        int runs = options->runs > 0 ? options->runs : 1;
        for (int run = 0; run < runs && !run_interrupted(); run++) {
            if (load->trace != NULL)
                load->trace->next = 0;
            suite_run_once(options, load, "", &facts, &results[i]);
            if (results[i].run[0].failed)
                options_refuse("%s: %s", mixes[i].name, results[i].run[0].tally.error);
        }
        if (done != NULL)
            done(&results[i]);
        tests += results[i].runs > 0;
    }
    return tests;
}
