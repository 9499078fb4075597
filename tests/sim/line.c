/*
 * line.c - the client's end of a connection: what it sends arrives when the seed says so, what it
 * reads makes room for more, and it can break off at any time.
 */
#include "line.h"

#include <string.h>

struct line lines[SIM_LINES_MAX];
uint32_t line_count;

int64_t line_later_ns(void)
{
    uint64_t us = sim_one_in(4) ? sim_below(sim.profile.late ? 4000 : 300) : sim_below(30);
    return sim.now_ns + (int64_t)us * 1000;
}

struct line *line_connect(void)
{
    if (sim.stopping || line_count == SIM_LINES_MAX)
        return NULL;
    struct line *line = &lines[line_count];
    *line = (struct line){ .fd = SIM_FD_FIRST + (int)line_count, .open = true };
    line_count++;
    return line;
}

size_t line_put(struct line *line, const void *data, size_t size)
{
    if (line->reset || line->ends)
        return size;
    if (line->open) /* else the server's system throws it away */
        sim_bytes_add(&line->in, data, size);
    line->in_at_ns = line_later_ns();
    return size;
}

size_t line_take(struct line *line, char *to, size_t size)
{
    size_t there = line_left(&line->out);
    size = size < there ? size : there;
    memcpy(to, line->out.data + line->out.taken, size);
    line->out.taken += size;
    if (size > 0) {
        world_progress();
        line->out_at_ns = line_later_ns();
    }
    return size;
}

void line_end(struct line *line)
{
    line->ends = true;
    line->in_at_ns = line_later_ns();
}

void line_reset(struct line *line)
{
    line->ends = line->reset = true;
    line->in.taken = line->in.size;
    line->out.taken = line->out.size;
    line->in_at_ns = line->out_at_ns = sim.now_ns;
}

bool line_is_over(const struct line *line)
{
    return line->reset || ((line->shut || !line->open) && line_left(&line->out) == 0);
}

void lines_close(void)
{
    for (uint32_t i = 0; i < line_count; i++)
        lines[i].open = false;
}
