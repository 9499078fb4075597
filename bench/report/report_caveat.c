/*
 * report_caveat.c - what must be known beside a comparison with memcached.
 *
 * Debian's memcached 1.6.18 answers each pipelined GET with a send of its own, and pays four times
 * what 1.6.45 does. A ratio to its GETs says as much about its age as about the other server.
 */
#include <string.h>

#include "report.h"

/* Whether `version` is older than 1.6.45, which the caveat compares with. False for "". */
static bool is_old(const char *version)
{
    unsigned major, minor, patch;
    if (sscanf(version, "%u.%u.%u", &major, &minor, &patch) != 3)
        return false;
    return major < 1 || (major == 1 && (minor < 6 || (minor == 6 && patch < 45)));
}

void report_caveat(const struct result *results, uint32_t count, char *out)
{
    out[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const struct result *r = &results[i];
        if (!is_old(r->version) || r->pipeline == 1 || strncmp(r->name, "GET", 3) != 0)
            continue;
        snprintf(
            out, REPORT_CAVEAT_MAX,
            "memcached here is %s. At pipeline 50 a GET cost 1.6.18 four times the CPU "
            "it cost 1.6.45 (13.7 against 3.3 us, one run on one machine); SETs cost both alike.",
            r->version);
        return;
    }
}
