/*
 * started.h - a started server for the tests in C, and the count of what passed.
 *
 * Environment: SHOAL, the binary; PORT, the first of ten ports. A sanitizer's build is recognised
 * by the folder it lies in, and started_scale() says how much less there is to do with it.
 */
#ifndef SHOAL_TESTS_SUPPORT_STARTED_H
#define SHOAL_TESTS_SUPPORT_STARTED_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct started {
    pid_t pid;
    FILE *output; /* what it prints; little after the start, so that nobody needs to read it */
    int shards, port;
    char folder[32], socket_path[40];
};

struct started_counts {
    int passed, failed, skipped;
};

/* Ends the test that runs, which returns bool. */
#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                         \
            return false;                                                                          \
        }                                                                                          \
    } while (0)

static inline const char *started_binary(void)
{
    const char *binary = getenv("SHOAL");
    return binary != NULL ? binary : "build/shoal";
}

static inline size_t started_scale(void)
{
    const char *binary = started_binary();
    bool slow = strstr(binary, "/asan/") || strstr(binary, "/ubsan/") || strstr(binary, "/tsan/") ||
                strstr(binary, "/tiny/") || strstr(binary, "/debug/");
    return slow ? 5 : 1;
}

static inline void started_exec(const struct started *server, int output)
{
    char port[16], shards[16];
    snprintf(port, sizeof(port), "%d", server->port);
    snprintf(shards, sizeof(shards), "%d", server->shards);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    close(output);
    execl(started_binary(), "shoal", "--port", port, "--shards", shards, "--unixsocket",
          server->socket_path, (char *)NULL);
    perror(started_binary());
    _exit(127);
}

/* Leaves the test with status 1 if the server does not start. */
static inline void started_begin(struct started *server, int shards, int offset)
{
    const char *port = getenv("PORT");
    int ends[2];
    char line[1024] = "";
    *server = (struct started){ .shards = shards, .port = (port ? atoi(port) : 27200) + offset };
    strcpy(server->folder, "/tmp/shoal-e2e-XXXXXX");
    if (mkdtemp(server->folder) == NULL || pipe(ends) < 0) {
        perror("started_begin");
        exit(1);
    }
    snprintf(server->socket_path, sizeof(server->socket_path), "%s/s", server->folder);
    fflush(stdout);
    server->pid = fork();
    if (server->pid == 0) {
        close(ends[0]);
        started_exec(server, ends[1]);
    }
    close(ends[1]);
    server->output = fdopen(ends[0], "r");
    while (strstr(line, "Ready to accept connections") == NULL) {
        if (fgets(line, sizeof(line), server->output) == NULL) {
            puts("the server did not start");
            exit(1);
        }
        if (strstr(line, "Ready") == NULL && strstr(line, " notice ") == NULL)
            fputs(line, stdout);
    }
}

/* Stops it as an operator would; true if it ended with status 0. */
static inline bool started_end(struct started *server)
{
    int status = -1;
    char line[1024];
    kill(server->pid, SIGTERM);
    waitpid(server->pid, &status, 0);
    while (status != 0 && fgets(line, sizeof(line), server->output) != NULL)
        fputs(line, stdout);
    fclose(server->output);
    unlink(server->socket_path);
    rmdir(server->folder);
    return status == 0;
}

static inline void started_count(struct started_counts *counts, bool ok, const char *name,
                                 const struct started *server, const char *transport)
{
    *(ok ? &counts->passed : &counts->failed) += 1;
    if (!ok)
        printf("FAIL %s (%d shards, %s)\n", name, server->shards, transport);
}

/* Says the totals; returns the exit status. */
static inline int started_finish(const struct started_counts *counts)
{
    printf("%d passed, %d failed", counts->passed, counts->failed);
    if (counts->skipped > 0)
        printf(", %d skipped", counts->skipped);
    putchar('\n');
    return counts->failed > 0;
}

#endif
