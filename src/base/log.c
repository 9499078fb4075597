/*
 * log.c - formats a line on the stack and writes it with one system call; nothing is locked.
 */
#include "shoal/base/log.h"
#include "shoal/base/clock.h"
#include "shoal/base/minmax.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 1023, PATH_BYTES_MAX = 4096 };

/* Fixed by log_open(): log_reopen() puts another file behind the same descriptor. */
static int log_fd = STDOUT_FILENO;
static char log_path[PATH_BYTES_MAX];

/* Any thread reads it, CONFIG SET writes it; it guards nothing else, so relaxed. */
static _Atomic int log_level = LOG_NOTICE;

static int open_append(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

bool log_open(const char *path)
{
    if (path[0] == '\0')
        return true;
    if (strlen(path) >= sizeof(log_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open_append(path);
    if (fd < 0)
        return false;
    strcpy(log_path, path);
    log_fd = fd;
    return true;
}

bool log_reopen(void)
{
    if (log_path[0] == '\0')
        return true;
    int fd = open_append(log_path);
    if (fd < 0)
        return false;
    /* dup3() replaces the file at once: a thread that writes meanwhile hits the old or the new
     * one. */
    bool done = dup3(fd, log_fd, O_CLOEXEC) >= 0;
    close(fd);
    return done;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level, level, memory_order_relaxed);
}

/* "2026-11-22T06:51:07.123Z pid level " */
static int format_head(char *line, size_t size, enum log_level level)
{
    static const char *const names[] = { "debug", "verbose", "notice", "warning" };
    int64_t now_ms = clock_wall_us() / 1000;
    time_t now_s = now_ms / 1000;
    struct tm utc;
    gmtime_r(&now_s, &utc);
    int used = (int)strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return used + snprintf(line + used, size - (size_t)used, ".%03dZ %d %s ", (int)(now_ms % 1000),
                           (int)getpid(), names[level]);
}

/* What a client wrote must not look like another line or drive a terminal. */
static void blank_controls(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
    }
}

/* A full disk or a closed pipe costs the line, not the server. */
static void write_line(const char *line, size_t size)
{
    ssize_t written;
    do {
        written = write(log_fd, line, size);
    } while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *format, ...)
{
    char line[LINE_BYTES_MAX + 1];
    int lowest = atomic_load_explicit(&log_level, memory_order_relaxed);
    if ((int)level < lowest || level >= LOG_NOTHING)
        return;
    int saved_errno = errno;
    int head = format_head(line, sizeof(line), level);
    va_list list;
    va_start(list, format);
    int text = vsnprintf(line + head, sizeof(line) - (size_t)head, format, list);
    va_end(list);
    size_t size = min((size_t)(head + max(text, 0)), LINE_BYTES_MAX - 1);
    blank_controls(line + head, size - (size_t)head);
    line[size] = '\n';
    write_line(line, size + 1);
    errno = saved_errno;
}
