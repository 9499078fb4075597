/*
 * command_line.c - the table of options and its reading.
 */
#include "command_line.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { TEXT, INT, LONG, COUNT, REAL, FLAG, LIST, IGNORE_FLAG, IGNORE_VALUE };

struct row {
    const char *name;
    char letter;
    enum kind kind;
    size_t offset;
    const char *value, *help;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct row ROWS[] = {
    { "host", 'h', TEXT, AT(load.target.host), "HOST", "server (127.0.0.1)" },
    { "port", 'p', INT, AT(load.target.port), "PORT", "(6379)" },
    { "socket", 's', TEXT, AT(load.target.socket), "PATH", "Unix socket instead of TCP" },
    { "pass", 'a', TEXT, AT(load.target.password), "PASSWORD", "AUTH" },
    { "user", 0, TEXT, AT(load.target.user), "NAME", "user for AUTH" },
    { "uri", 'u', TEXT, AT(uri), "URI", "redis://user:password@host:port/db" },
    { "dbnum", 0, INT, AT(load.target.db), "N", "SELECT" },
    { "protocol", 0, TEXT, AT(protocol), "P", "resp, native or memcached (resp)" },
    { "resp3", '3', FLAG, AT(load.target.resp3), NULL, "HELLO 3" },
    { "clients", 'c', INT, AT(load.clients), "N", "connections (50; of a trace 1)" },
    { "threads", 0, INT, AT(load.threads), "N", "client threads (1)" },
    { "requests", 'n', COUNT, AT(load.requests), "N", "requests (100000 unless --seconds)" },
    { "seconds", 0, REAL, AT(load.seconds), "S", "measure for this long instead of -n" },
    { "warmup", 0, REAL, AT(load.warmup_s), "S", "run this long before measuring (0)" },
    { "pipeline", 'P', INT, AT(load.pipeline), "N", "requests a connection has under way (1)" },
    { "runs", 0, INT, AT(runs), "N", "repeat; median and range (1; sweep, compare: 5)" },
    { "tests", 't', TEXT, AT(tests), "LIST", "ping,set,get,incr,lpush,... (set,get)" },
    { "ratio", 0, TEXT, AT(ratio), "G:S:D", "one test that mixes GET, SET and DEL" },
    { "command", 0, TEXT, AT(command), "TEXT", "a command with __key__ __data__ __rand_int__ __ttl__" },
    { "mget", 0, INT, AT(mget), "N", "GETs ask for N keys at once" },
    { "keys", 'r', COUNT, AT(load.keys), "N", "different keys (100000)" },
    { "key-dist", 0, TEXT, AT(key_dist), "D", "uniform, zipf:0.99, hot:0.01:0.9, seq" },
    { "key-size", 0, INT, AT(key_size), "BYTES", "length of a key's name (16)" },
    { "data", 'd', INT, AT(data_size), "BYTES", "value size (3)" },
    { "value-size", 0, TEXT, AT(value_size), "V", "N, a:b or list:64=80,1024=20" },
    { "ttl", 0, TEXT, AT(ttl), "A:B", "SETs expire after A..B ms" },
    { "cross-shard", 0, REAL, AT(cross_percent), "PERCENT", "commands whose keys live on another shard" },
    { "shards", 0, TEXT, AT(shards), "N[,N...]", "the server's shards; sweep, compare: which to try" },
    { "trace", 0, TEXT, AT(trace), "T", "GET, SET on a miss: .lis or oracleGeneral file, zipf:E, churn:E:D:O" },
    { "flush", 0, FLAG, AT(flush), NULL, "empty the server before the first test" },
    { "preload", 0, FLAG, AT(preload), NULL, "write every key before the first test" },
    { "verify", 0, FLAG, AT(verify), NULL, "check what comes back; exit 1 if anything is wrong" },
    { "rate", 0, TEXT, AT(rate), "R[:poisson]", "open loop: requests/s whatever the replies do" },
    { "find-rate", 0, TEXT, AT(find_rate), "EXPR", "highest open-loop rate that keeps e.g. 'p99<1ms'" },
    { "expect", 0, TEXT, AT(expect), "EXPR", "e.g. 'p99<2ms,ops>100000'; exit 5 if not met" },
    { "seed", 0, COUNT, AT(load.seed), "N", "of all random choices (1)" },
    { "server-pid", 0, LONG, AT(server_pid), "PID", "for CPU per request, if INFO does not tell" },
    { "client-cpus", 0, TEXT, AT(client_cpus), "LIST", "pin client threads, e.g. 1 or 2-3" },
    { "server-cpus", 0, TEXT, AT(server_cpus), "LIST", "sweep, compare: pin the servers" },
    { "server", 0, LIST, AT(server), "NAME=CMD", "sweep, compare: {port} {socket} {shards} are filled in" },
    { "pipelines", 0, TEXT, AT(pipelines), "LIST", "sweep, compare: which to try (1,10,50)" },
    { "transports", 0, TEXT, AT(transports), "LIST", "compare: tcp, unix (tcp)" },
    { "quiet", 'q', FLAG, AT(quiet), NULL, "one line a test" },
    { "csv", 0, FLAG, AT(csv_old), NULL, "comma-separated lines instead of the table" },
    { "csv-file", 0, TEXT, AT(csv), "FILE", "the same into a file" },
    { "json", 0, TEXT, AT(json), "FILE", "everything, - for the standard output" },
    { "hgrm", 0, TEXT, AT(hgrm), "FILE", "percentiles in HdrHistogram's text format" },
    { "report", 0, TEXT, AT(report), "FILE", "charts, one HTML file" },
    { "svg", 0, TEXT, AT(svg), "FILE", "the bars of CPU per request alone, for a README" },
    { "title", 0, TEXT, AT(title), "TEXT", "of the report" },
    { "idle", 'I', FLAG, AT(idle), NULL, "only hold the connections open" },
    { "keepalive", 'k', IGNORE_VALUE, 0, NULL, NULL },
    { "precision", 0, IGNORE_VALUE, 0, NULL, NULL },
    { "cluster", 0, IGNORE_FLAG, 0, NULL, NULL },
    { "show-errors", 'e', IGNORE_FLAG, 0, NULL, NULL },
};
/* clang-format on */

enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

void options_refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("shoal-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static void help(void)
{
    puts("shoal-bench: load test for shoal, Redis-compatible servers and memcached\n\n"
         "  shoal-bench [options] [command ...]    one server\n"
         "  shoal-bench sweep [options]            one server, several shard counts and pipelines\n"
         "  shoal-bench compare [options]          several servers, interleaved\n");
    for (int i = 0; i < ROW_COUNT; i++) {
        const struct row *row = &ROWS[i];
        char left[48], letter[6] = "    ";
        if (row->help == NULL)
            continue;
        if (row->letter)
            snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        snprintf(left, sizeof(left), "%s--%s %s", letter, row->name, row->value ? row->value : "");
        printf("  %-28s %s\n", left, row->help);
    }
    puts("\nExit: 0 good, 1 verification or the run failed, 2 usage or no server, 5 --expect not "
         "met.");
    exit(0);
}

static void set_number(const struct row *row, const char *text, void *at)
{
    char *end;
    errno = 0;
    double real = strtod(text, &end);
    bool whole = row->kind == REAL || real == (double)(long long)real;
    if (end == text || *end != '\0' || errno != 0 || real < 0 || !whole)
        options_refuse("--%s wants a number, not \"%s\"", row->name, text);
    if (row->kind == INT && real > 2147483647)
        options_refuse("--%s: %s is too large", row->name, text);
    if (row->kind == INT)
        *(int *)at = (int)real;
    else if (row->kind == LONG)
        *(long *)at = (long)real;
    else if (row->kind == COUNT)
        *(uint64_t *)at = (uint64_t)real;
    else
        *(double *)at = real;
}

static void set_value(struct options *options, const struct row *row, char *text)
{
    void *at = (char *)options + row->offset;
    if (row->kind == TEXT)
        *(const char **)at = text;
    else if (row->kind == LIST && options->servers == SERVERS_MAX)
        options_refuse("at most %d servers", SERVERS_MAX);
    else if (row->kind == LIST)
        options->server[options->servers++] = text;
    else if (row->kind != IGNORE_VALUE)
        set_number(row, text, at);
    options->keys_given |= row->letter == 'r';
}

static const struct row *find_row(const char *word)
{
    for (int i = 0; i < ROW_COUNT; i++) {
        bool by_letter = word[1] == ROWS[i].letter && word[1] != '\0' && word[2] == '\0';
        if (by_letter || (word[1] == '-' && strcmp(word + 2, ROWS[i].name) == 0))
            return &ROWS[i];
    }
    return NULL;
}

/* One option at argv[i], its value perhaps after '='; returns how many words it took. */
static int take_option(struct options *options, char **argv, int i)
{
    char *word = argv[i], *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    if (strcmp(word, "--help") == 0)
        help();
    if (strcmp(word, "--version") == 0) {
        puts("shoal-bench " SHOAL_VERSION);
        exit(0);
    }
    if (equals != NULL)
        *equals = '\0';
    const struct row *row = find_row(word);
    if (row == NULL)
        options_refuse("no option %s (--help lists them)", word);
    if (row->kind == FLAG)
        *(bool *)((char *)options + row->offset) = true;
    if (row->kind == FLAG || row->kind == IGNORE_FLAG)
        return 1;
    if (equals == NULL && argv[i + 1] == NULL)
        options_refuse("%s wants a value", word);
    set_value(options, row, equals ? equals + 1 : argv[i + 1]);
    return equals ? 1 : 2;
}

void options_parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){
        .load = { .target = { .host = "127.0.0.1", .port = 6379 },
                  .clients = CLIENTS_UNSAID,
                  .threads = 1,
                  .pipeline = 1,
                  .keys = 100000,
                  .seed = 1,
                  .cross_share = -1 },
        .protocol = "resp",
        .key_dist = "uniform",
        .data_size = 3,
        .mget = 1,
        .cross_percent = -1,
    };
    int i = 1;
    while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0')
        i += take_option(options, argv, i);
    for (; i < argc && options->word_count < COMMAND_ARGS_MAX; i++)
        options->words[options->word_count++] = argv[i];
}
