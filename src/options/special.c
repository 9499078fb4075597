/*
 * special.c - the options whose value is more than one number or word.
 *
 * A list is parsed into a copy first, so that a wrong one changes nothing.
 */
#include "shoal/options/special.h"

#include "shoal/base/number.h"
#include "shoal/base/slab.h"
#include "shoal/options/table.h"
#include "shoal/options/value.h"
#include "shoal/store/keyspace/lifetime.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Appends to a printed value; what does not fit is cut. */
__attribute__((format(printf, 2, 3))) static void add(char out[OPTION_TEXT_MAX], const char *format,
                                                      ...)
{
    size_t used = strlen(out);
    va_list list;
    va_start(list, format);
    vsnprintf(out + used, OPTION_TEXT_MAX - used, format, list);
    va_end(list);
}

/* ---- bind ---------------------------------------------------------------- */

bool option_parse_bind(struct settings *settings, struct bytes value, struct option_error *error)
{
    char list[SETTINGS_BINDS_MAX][64] = { 0 };
    int count = 0;
    struct bytes word;
    while (option_next_word(&value, &word)) {
        if (count == SETTINGS_BINDS_MAX)
            return option_error_set(error, "Too many bind addresses specified (at most %d)",
                                    SETTINGS_BINDS_MAX);
        if (word.size >= sizeof(list[0]))
            return option_error_set(error, "bind address is longer than 63 bytes");
        memcpy(list[count++], word.data, word.size);
    }
    memcpy(settings->bind, list, sizeof(list));
    settings->bind_count = count;
    return true;
}

void option_print_bind(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    out[0] = '\0';
    for (int i = 0; i < settings->bind_count; i++)
        add(out, "%s%s", i > 0 ? " " : "", settings->bind[i]);
}

/* ---- shards -------------------------------------------------------------- */

bool option_parse_shards(struct settings *settings, struct bytes value, struct option_error *error)
{
    int64_t n = 0;
    bool automatic = bytes_is(value, "auto");
    if (!automatic && (!number_parse_i64(value, &n) || n < 1 || n > SETTINGS_SHARDS_MAX))
        return option_error_set(error, "argument must be 'auto' or between 1 and %d inclusive",
                                SETTINGS_SHARDS_MAX);
    settings->shards_auto = automatic;
    settings->shards = (int)n; /* 0 until options_resolve() */
    return true;
}

void option_print_shards(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    snprintf(out, OPTION_TEXT_MAX, "%d", settings->shards);
}

/* ---- cpu-list ------------------------------------------------------------ */

static bool parse_cpu(const char **p, const char *end, int *cpu)
{
    const char *start = *p;
    int n = 0;
    for (; *p < end && **p >= '0' && **p <= '9' && n < SETTINGS_CPUS_MAX; (*p)++)
        n = n * 10 + (**p - '0');
    *cpu = n;
    return *p > start && n < SETTINGS_CPUS_MAX;
}

/* One "3" or "0-3" at *p. */
static bool parse_cpu_range(const char **p, const char *end, uint16_t *cpus, int *count, bool *seen)
{
    int first, last;
    if (!parse_cpu(p, end, &first))
        return false;
    last = first;
    if (*p < end && **p == '-') {
        (*p)++;
        if (!parse_cpu(p, end, &last) || last < first)
            return false;
    }
    for (int cpu = first; cpu <= last; cpu++) {
        if (seen[cpu])
            return false;
        seen[cpu] = true;
        cpus[(*count)++] = (uint16_t)cpu;
    }
    return true;
}

bool option_parse_cpus(struct settings *settings, struct bytes value, struct option_error *error)
{
    uint16_t cpus[SETTINGS_CPUS_MAX];
    bool seen[SETTINGS_CPUS_MAX] = { false };
    int count = 0;
    const char *p = value.data, *end = value.data + value.size;
    bool ok = true;
    while (ok && p < end) {
        ok = parse_cpu_range(&p, end, cpus, &count, seen);
        if (ok && p < end)
            ok = *p++ == ',' && p < end;
    }
    if (!ok)
        return option_error_set(error,
                                "argument must be a list of CPUs such as 0-3,6, each below %d "
                                "and named once",
                                SETTINGS_CPUS_MAX);
    memcpy(settings->cpus, cpus, (size_t)count * sizeof(cpus[0]));
    settings->cpu_count = count;
    return true;
}

void option_print_cpus(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    out[0] = '\0';
    for (int i = 0, last; i < settings->cpu_count; i = last + 1) {
        last = i;
        while (last + 1 < settings->cpu_count &&
               settings->cpus[last + 1] == settings->cpus[last] + 1)
            last++;
        add(out, "%s%d", i > 0 ? "," : "", settings->cpus[i]);
        if (last > i)
            add(out, "-%d", settings->cpus[last]);
    }
}

/* ---- maxmemory ----------------------------------------------------------- */

static bool is_percent(struct bytes value)
{
    return value.size > 0 && value.data[value.size - 1] == '%';
}

static bool parse_percent(struct bytes value, int64_t *percent, struct option_error *error)
{
    if (!number_parse_i64(bytes_of(value.data, value.size - 1), percent) || *percent < 0)
        return option_error_set(error, "argument must be a memory or percent value");
    return true;
}

bool option_parse_maxmemory(struct settings *settings, struct bytes value,
                            struct option_error *error)
{
    uint64_t bytes;
    int64_t percent;
    if (is_percent(value)) {
        if (!parse_percent(value, &percent, error))
            return false;
        if (percent < 1 || percent > 100)
            return option_error_set(error, "percentage argument must be between 1 and 100");
        bytes = settings->host_memory / 100 * (uint64_t)percent;
    } else if (!number_parse_memory(value, &bytes) ||
               value.size >= sizeof(settings->maxmemory_text)) {
        return option_error_set(error, "argument must be a memory or percent value");
    }
    memset(settings->maxmemory_text, 0, sizeof(settings->maxmemory_text));
    memcpy(settings->maxmemory_text, value.data, value.size);
    settings->maxmemory = bytes;
    return true;
}

void option_print_maxmemory(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    snprintf(out, OPTION_TEXT_MAX, "%" PRIu64, settings->maxmemory);
}

/* A percentage stays one. */
void option_print_maxmemory_given(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    snprintf(out, OPTION_TEXT_MAX, "%s", settings->maxmemory_text);
}

/* ---- ttl-jitter ---------------------------------------------------------- */

/* "10" and "10%" are the same. */
bool option_parse_jitter(struct settings *settings, struct bytes value, struct option_error *error)
{
    int64_t percent;
    if (value.size > 0 && value.data[value.size - 1] == '%')
        value.size--;
    if (!number_parse_i64(value, &percent))
        return option_error_set(error, "argument must be a percent value");
    if (percent < 0 || percent > LIFETIME_JITTER_MAX)
        return option_error_set(error, "percentage argument must be between 0 and %d",
                                LIFETIME_JITTER_MAX);
    settings->ttl_jitter_percent = (int)percent;
    return true;
}

void option_print_jitter(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    snprintf(out, OPTION_TEXT_MAX, "%d", settings->ttl_jitter_percent);
}

/* ---- activedefrag -------------------------------------------------------- */

bool option_parse_activedefrag(struct settings *settings, struct bytes value,
                               struct option_error *error)
{
    bool on;
    if (!option_bool(value, &on))
        return option_error_set(error, "argument must be 'yes' or 'no'");
    if (on && !slabs_available())
        return option_error_set(error, "Active defragmentation cannot be enabled: this server was "
                                       "built without jemalloc");
    settings->activedefrag = on;
    return true;
}

void option_print_activedefrag(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    snprintf(out, OPTION_TEXT_MAX, "%s", settings->activedefrag ? "yes" : "no");
}

/* ---- maxmemory-clients --------------------------------------------------- */

bool option_parse_maxmemory_clients(struct settings *settings, struct bytes value,
                                    struct option_error *error)
{
    uint64_t bytes = 0;
    int64_t percent = 0;
    if (is_percent(value)) {
        if (!parse_percent(value, &percent, error))
            return false;
        if (percent > 100)
            return option_error_set(error, "percentage argument must be less or equal to 100");
    } else if (!number_parse_memory(value, &bytes)) {
        return option_error_set(error, "argument must be a memory or percent value");
    }
    settings->maxmemory_clients = bytes;
    settings->maxmemory_clients_percent = (int)percent;
    return true;
}

void option_print_maxmemory_clients(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    if (settings->maxmemory_clients_percent > 0)
        snprintf(out, OPTION_TEXT_MAX, "%d%%", settings->maxmemory_clients_percent);
    else
        snprintf(out, OPTION_TEXT_MAX, "%" PRIu64, settings->maxmemory_clients);
}

/* ---- client-output-buffer-limit ------------------------------------------ */

static int output_class(struct bytes word)
{
    if (bytes_is(word, "normal"))
        return OUTPUT_NORMAL;
    if (bytes_is(word, "replica") || bytes_is(word, "slave"))
        return OUTPUT_REPLICA;
    return bytes_is(word, "pubsub") ? OUTPUT_PUBSUB : -1;
}

static bool parse_output_class(struct output_limit *limits, const struct bytes word[4],
                               struct option_error *error)
{
    int class = output_class(word[0]);
    if (class < 0)
        return option_error_set(error,
                                "Invalid client class specified in buffer limit configuration.");
    int64_t seconds;
    struct output_limit limit;
    if (!number_parse_memory(word[1], &limit.hard_bytes) ||
        !number_parse_memory(word[2], &limit.soft_bytes) || !number_parse_i64(word[3], &seconds) ||
        seconds < 0 || seconds > UINT32_MAX)
        return option_error_set(error,
                                "Error in hard, soft or soft_seconds setting in buffer limit "
                                "configuration.");
    limit.soft_seconds = (uint32_t)seconds;
    limits[class] = limit;
    return true;
}

/* "normal 0 0 0 pubsub 32mb 8mb 60": classes that are not named keep what they have. */
bool option_parse_output_limit(struct settings *settings, struct bytes value,
                               struct option_error *error)
{
    struct output_limit limits[OUTPUT_CLASSES];
    memcpy(limits, settings->output_limit, sizeof(limits));
    struct bytes word[4];
    int n = 0;
    while (option_next_word(&value, &word[n])) {
        if (++n < 4)
            continue;
        if (!parse_output_class(limits, word, error))
            return false;
        n = 0;
    }
    if (n != 0)
        return option_error_set(error, "Wrong number of arguments in buffer limit configuration.");
    memcpy(settings->output_limit, limits, sizeof(limits));
    return true;
}

void option_print_output_limit(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    /* "slave", as Redis still prints it */
    static const char *const names[OUTPUT_CLASSES] = { "normal", " slave", " pubsub" };
    out[0] = '\0';
    for (int i = 0; i < OUTPUT_CLASSES; i++) {
        const struct output_limit *limit = &settings->output_limit[i];
        add(out, "%s %" PRIu64 " %" PRIu64 " %" PRIu32, names[i], limit->hard_bytes,
            limit->soft_bytes, limit->soft_seconds);
    }
}

/* ---- latency-tracking-info-percentiles ----------------------------------- */

bool option_parse_percentiles(struct settings *settings, struct bytes value,
                              struct option_error *error)
{
    double list[SETTINGS_PERCENTILES_MAX];
    int count = 0;
    struct bytes word;
    while (option_next_word(&value, &word)) {
        if (count == SETTINGS_PERCENTILES_MAX)
            return option_error_set(error, "at most %d percentiles", SETTINGS_PERCENTILES_MAX);
        if (!number_parse_double(word, &list[count]))
            return option_error_set(error, "Invalid latency-tracking-info-percentiles parameters");
        if (list[count] < 0 || list[count] > 100)
            return option_error_set(error, "latency-tracking-info-percentiles parameters should be "
                                           "between 0.0 and 100.0");
        count++;
    }
    memcpy(settings->latency_percentiles, list, (size_t)count * sizeof(list[0]));
    settings->latency_percentile_count = count;
    return true;
}

void option_print_percentiles(const struct settings *settings, char out[OPTION_TEXT_MAX])
{
    out[0] = '\0';
    for (int i = 0; i < settings->latency_percentile_count; i++)
        add(out, "%s%.10g", i > 0 ? " " : "", settings->latency_percentiles[i]);
}
