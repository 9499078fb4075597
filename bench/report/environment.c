/*
 * environment.c - CPU, kernel, date and command line.
 */
#include "environment.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void read_cpu(char *out, size_t size)
{
    char line[256];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(out, size, "unknown CPU");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        colon[1 + strcspn(colon + 1, "\n")] = '\0';
        snprintf(out, size, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

/* Words that a shell would split are shown in quotes. */
static void join(char *out, size_t size, int argc, char **argv)
{
    out[0] = '\0';
    for (int i = 0; i < argc; i++) {
        const char *name = i == 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[i];
        const char *quote = strpbrk(name, " {}<>|;&\"") ? "'" : "";
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%s%s%s", i ? " " : "", quote, name, quote);
    }
}

void environment_read(struct environment *environment, int argc, char **argv)
{
    struct utsname name;
    time_t now = time(NULL);
    struct tm local;
    uname(&name);
    read_cpu(environment->cpu, sizeof(environment->cpu));
    snprintf(environment->kernel, sizeof(environment->kernel), "%s %.60s", name.sysname,
             name.release);
    strftime(environment->date, sizeof(environment->date), "%Y-%m-%d %H:%M",
             localtime_r(&now, &local));
    environment->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
    join(environment->command, sizeof(environment->command), argc, argv);
}
