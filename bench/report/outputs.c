/*
 * outputs.c - hands the results to each report that was asked for.
 */
#include "outputs.h"

#include <errno.h>
#include <string.h>

static FILE *open_output(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (file == NULL)
        options_refuse("%s: %s", path, strerror(errno));
    return file;
}

static void close_output(FILE *file, const char *path)
{
    bool bad = fflush(file) != 0 || ferror(file);
    if (file != stdout && fclose(file) != 0)
        bad = true;
    if (bad)
        options_refuse("%s: not written completely", path);
}

static void write_csv(FILE *out, const struct result *results, uint32_t count)
{
    report_csv_head(out);
    for (uint32_t i = 0; i < count; i++)
        report_csv(out, &results[i]);
}

static void write_screen(const struct options *options, const struct result *results,
                         uint32_t count, bool versus)
{
    bool taken = (options->json && strcmp(options->json, "-") == 0) ||
                 (options->hgrm && strcmp(options->hgrm, "-") == 0);
    if (options->csv_old)
        write_csv(stdout, results, count);
    else if (versus && !taken)
        report_versus(stdout, results, count);
    else if (!options->quiet && !taken)
        report_table(stdout, results, count);
}

void outputs_write(const struct options *options, const struct environment *environment,
                   const struct result *results, uint32_t count, bool versus)
{
    FILE *file;
    write_screen(options, results, count, versus);
    if (options->csv != NULL) {
        file = open_output(options->csv);
        write_csv(file, results, count);
        close_output(file, options->csv);
    }
    if (options->json != NULL) {
        file = open_output(options->json);
        report_json(file, environment, results, count);
        close_output(file, options->json);
    }
    if (options->hgrm != NULL && count > 0) {
        file = open_output(options->hgrm);
        report_hgrm(file, result_median(&results[count - 1])->latency);
        close_output(file, options->hgrm);
    }
    if (options->svg != NULL) {
        file = open_output(options->svg);
        report_svg(file, options->title, environment, results, count);
        close_output(file, options->svg);
    }
    if (options->report != NULL) {
        file = open_output(options->report);
        report_html(file, options->title, environment, results, count);
        close_output(file, options->report);
    }
}
