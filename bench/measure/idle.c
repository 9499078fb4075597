/*
 * idle.c - the price of connections that ask nothing.
 */
#include "idle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blocking_socket.h"
#include "run.h"
#include "shoal/base/mem.h"
#include "suite.h"

enum { SETTLE_MS = 500, TICK_MS = 100 };

static void rest_ms(double ms)
{
    struct timespec t = { .tv_nsec = TICK_MS * 1000000 };
    for (; ms > 0 && !run_interrupted(); ms -= TICK_MS)
        nanosleep(&t, NULL);
}

/* Resident memory of a process in KB, 0 if unknown. */
static uint64_t resident_kb(pid_t pid)
{
    char path[64], line[128];
    uint64_t kb = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmRSS: %" SCNu64, &kb) == 1)
            break;
    }
    if (file != NULL)
        fclose(file);
    return kb;
}

static int open_all(const struct load *load, int *fd)
{
    char error[ERROR_TEXT_MAX];
    int opened = 0;
    while (opened < load->clients && !run_interrupted()) {
        fd[opened] = socket_login(&load->target, error);
        if (fd[opened] < 0) {
            fprintf(stderr, "connection %d: %s\n", opened + 1, error);
            break;
        }
        opened++;
    }
    return opened;
}

int idle_hold(const struct load *load)
{
    static struct cpu_sample from, to;
    static struct cpu_usage usage;
    char error[ERROR_TEXT_MAX];
    struct server_facts facts;
    if (!suite_probe(load, &facts, error)) {
        fprintf(stderr, "shoal-bench: no server: %s\n", error);
        return 2;
    }
    int *fd = mem_must_alloc(sizeof(*fd) * (size_t)load->clients);
    uint64_t before_kb = resident_kb(facts.pid);
    int opened = open_all(load, fd);
    rest_ms(SETTLE_MS);
    bool known = cpu_sample_take(facts.pid, &from);
    rest_ms(load->seconds > 0 ? load->seconds * 1000 : 5000);
    if (known && cpu_sample_take(facts.pid, &to)) {
        cpu_usage_between(&from, &to, &usage);
        double kb = (double)resident_kb(facts.pid) - (double)before_kb;
        printf("%d idle connections: server CPU %.4f %%, %.2f KB resident per connection\n", opened,
               100 * usage.seconds / usage.wall_s, opened > 0 ? kb / opened : 0);
    } else {
        printf("%d idle connections\n", opened);
    }
    for (int i = 0; i < opened; i++)
        close(fd[i]);
    free(fd);
    return opened == load->clients ? 0 : 1;
}
