/*
 * launch.c - starting servers, waiting until they answer, stopping them by their pid.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load/cpulist.h"
#include "measure/blocking_socket.h"
#include "shoal/base/clock.h"

enum { READY_S = 15, STOP_S = 5, POLL_MS = 10, LINE_MAX_BYTES = 4096 };

static void pause_ms(long ms)
{
    struct timespec t = { .tv_nsec = ms * 1000000 };
    nanosleep(&t, NULL);
}

int launch_free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;
    if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port;
}

bool launch_name(const char *spec, char *name)
{
    size_t size = strcspn(spec, ":=");
    if (size == 0 || size > 31 || strchr(spec, '=') == NULL)
        return false;
    memcpy(name, spec, size);
    name[size] = '\0';
    return true;
}

/* The template with its places filled in. */
static void fill_in(const struct launched *server, const char *from, char *out)
{
    char *end = out + LINE_MAX_BYTES - 128;
    while (*from != '\0' && out < end) {
        if (strncmp(from, "{port}", 6) == 0)
            out += sprintf(out, "%d", server->port), from += 6;
        else if (strncmp(from, "{socket}", 8) == 0)
            out += sprintf(out, "%s", server->socket), from += 8;
        else if (strncmp(from, "{shards}", 8) == 0)
            out += sprintf(out, "%d", server->shards), from += 8;
        else if (strncmp(from, "{n}", 3) == 0)
            out += sprintf(out, "%d", server->shards), from += 3;
        else
            *out++ = *from++;
    }
    *out = '\0';
}

static void pin_self(const char *cpus)
{
    int list[CPUS_MAX], count = cpus ? cpulist_parse(cpus, list, CPUS_MAX) : 0;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int i = 0; i < count; i++)
        CPU_SET((size_t)list[i], &set);
    if (count > 0)
        sched_setaffinity(0, sizeof(set), &set);
}

/* The child: never returns. Dies with the harness, whatever ends that. */
static _Noreturn void become(const struct command *command, const char *cpus, const char *log)
{
    char *argv[COMMAND_ARGS_MAX + 1];
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (uint32_t i = 0; i < command->argc; i++)
        argv[i] = command->args[i].before;
    argv[command->argc] = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* Ctrl-C is for the harness, which then stops its servers */
    pin_self(cpus);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    execvp(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Only memcached answers "version", all others here PING. */
static const struct protocol *detect(const struct target *target, char version[VERSION_MAX])
{
    struct target probe = *target;
    struct answer answer;
    const struct protocol *found = NULL;
    probe.protocol = &PROTOCOL_RESP;
    struct timeval patience = { .tv_sec = 1 };
    int fd = socket_open(&probe);
    if (fd < 0)
        return NULL;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (send(fd, "version\r\n", 9, MSG_NOSIGNAL) == 9) {
        char text[64] = "";
        ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
        if (got > 0)
            found = strncmp(text, "VERSION", 7) == 0 ? &PROTOCOL_MEMCACHE : &PROTOCOL_RESP;
        sscanf(text, "VERSION %15[0-9.]", version);
    }
    close(fd);
    if (found != &PROTOCOL_RESP || (fd = socket_open(&probe)) < 0)
        return found;
    if (!socket_ask(fd, found, "PING", &answer))
        found = NULL;
    else {
        found =
            answer.kind == REPLY_ERROR && strncmp(answer.text, "LOADING", 7) == 0 ? NULL : found;
        answer_fini(&answer);
    }
    close(fd);
    return found;
}

static bool wait_ready(struct launched *server, char *error)
{
    struct target target = { .host = "127.0.0.1", .port = server->port };
    uint64_t until = clock_mono_ns() + READY_S * 1000000000ull;
    if (!server->has_port)
        target.socket = server->socket;
    while (clock_mono_ns() < until) {
        const struct protocol *found = detect(&target, server->version);
        if (found != NULL) {
            server->protocol = server->protocol ? server->protocol : found;
            return true;
        }
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            snprintf(error, 256, "%s ended at once; see %s", server->name, server->log);
            server->pid = 0;
            return false;
        }
        pause_ms(POLL_MS);
    }
    snprintf(error, 256, "%s does not answer; see %s", server->name, server->log);
    return false;
}

static bool read_spec(struct launched *server, const char *spec, char *error)
{
    const char *equals = strchr(spec, '='), *colon = strchr(spec, ':');
    char protocol[16] = "";
    if (!launch_name(spec, server->name)) {
        snprintf(error, 256, "--server is NAME=COMMAND, not \"%.100s\"", spec);
        return false;
    }
    if (colon != NULL && colon < equals) {
        snprintf(protocol, sizeof(protocol), "%.*s", (int)(equals - colon - 1), colon + 1);
        server->protocol = protocol_find(protocol);
        if (server->protocol == NULL) {
            snprintf(error, 256, "no protocol \"%s\"", protocol);
            return false;
        }
    }
    server->has_port = strstr(equals, "{port}") != NULL;
    server->has_socket = strstr(equals, "{socket}") != NULL;
    if (!server->has_port && !server->has_socket)
        snprintf(error, 256, "%s: the command has neither {port} nor {socket}", server->name);
    return server->has_port || server->has_socket;
}

bool launch_start(struct launched *server, const char *spec, int port, int shards, const char *cpus,
                  const char *directory, char *error)
{
    char line[LINE_MAX_BYTES];
    *server = (struct launched){ .port = port, .shards = shards };
    snprintf(server->socket, sizeof(server->socket), "%.80s/%d.sock", directory, port);
    if (!read_spec(server, spec, error))
        return false;
    fill_in(server, strchr(spec, '=') + 1, line);
    snprintf(server->log, sizeof(server->log), "%.80s/%s.%d.log", directory, server->name, port);
    struct command *command = command_parse(server->name, line);
    if (command == NULL) {
        snprintf(error, 256, "%s: no command", server->name);
        return false;
    }
    server->pid = fork();
    if (server->pid == 0)
        become(command, cpus, server->log);
    command_free(&command);
    if (server->pid > 0 && wait_ready(server, error))
        return true;
    launch_stop(server, true);
    return false;
}

void launch_stop(struct launched *server, bool keep_log)
{
    uint64_t until = clock_mono_ns() + STOP_S * 1000000000ull;
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGTERM);
    kill(server->pid, SIGCONT);
    while (waitpid(server->pid, NULL, WNOHANG) == 0) {
        if (clock_mono_ns() > until)
            kill(server->pid, SIGKILL);
        pause_ms(POLL_MS);
    }
    server->pid = 0;
    if (server->has_socket)
        unlink(server->socket);
    if (!keep_log)
        unlink(server->log);
}

void launch_pause(const struct launched *server, bool pause)
{
    if (server->pid > 0)
        kill(server->pid, pause ? SIGSTOP : SIGCONT);
}
