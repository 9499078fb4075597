/*
 * generator.c - drawing and writing requests; the only per-request work of the client besides
 * scanning the reply.
 */
#include "generator.h"

#include <string.h>

#include "load/placement.h"
#include "load/trace.h"
#include "load/verify.h"
#include "shoal/base/must.h"

bool generator_init(struct generator *g, const struct load *load, uint32_t worker, bool preload)
{
    bool good = true;
    *g = (struct generator){ ._load = load, ._preload = preload };
    random_seed_stream(&g->_rng, load->seed, worker);
    key_picker_init(&g->_picker, &load->dist, load->keys, worker, (uint64_t)load->threads);
    g->_fill = (struct fill){ .key = &load->key_name,
                              .data_size = sizes_min(&load->sizes),
                              .ttl_ms = load->ttl_low_ms };
    for (uint32_t i = 0; i < load->mix->count && good; i++) {
        const struct command *command = load->mix->command[i];
        g->_varies[i] = (sizes_vary(&load->sizes) && command_has(command, PART_DATA)) ||
                        (load->ttl_low_ms != load->ttl_high_ms && command_has(command, PART_TTL));
        good = load->target.protocol->lay_out(command, &g->_fill, &g->_layout[i]);
    }
    return good;
}

void generator_fini(struct generator *g)
{
    for (uint32_t i = 0; i < MIX_COMMANDS_MAX; i++)
        layout_fini(&g->_layout[i]);
}

/* ---- choosing ------------------------------------------------------------ */

static uint8_t choose_command(struct generator *g)
{
    const struct mix *mix = g->_load->mix;
    uint32_t i = 0;
    if (mix->count == 1)
        return 0;
    uint64_t at = random_below(&g->_rng, mix->weight_sum);
    for (; at >= mix->weight[i]; i++)
        at -= mix->weight[i];
    return (uint8_t)i;
}

/*
 * First a SET for every miss of the last batch, then GETs in the order of the trace up to the first
 * whose key this batch has asked for already: that answer decides whether a SET comes between.
 */
static bool choose_from_trace(struct generator *g, struct conn *conn, struct request *request)
{
    enum { GET, SET }; /* the mix of a trace */
    request->command = SET;
    if (conn_refill_pop(conn, &request->key))
        return true;
    request->command = GET;
    return trace_peek(g->_load->trace, &request->key) && !conn_asks(conn, request->key, GET) &&
           trace_advance(g->_load->trace);
}

static bool choose_preload(struct generator *g, struct conn *conn, struct request *request)
{
    request->command = 0;
    request->key = conn->sequence++ * (uint64_t)g->_load->clients + conn->index;
    return request->key < g->_load->keys;
}

/* With verify, a key is written by one connection only: the nearest key that is this one's. */
static uint64_t own_key(const struct load *load, const struct conn *conn, uint64_t key)
{
    uint64_t clients = (uint64_t)load->clients;
    key = key - key % clients + conn->index;
    return key < load->keys ? key : conn->index;
}

static void choose_version(struct generator *g, const struct conn *conn, struct request *request)
{
    const struct load *load = g->_load;
    enum op op = load->mix->command[request->command]->op;
    if (op == OP_GET) {
        request->version = verify_read(load->verify, request->key);
        return;
    }
    request->key = own_key(load, conn, request->key);
    request->version = verify_write(load->verify, request->key, op == OP_DEL);
}

bool generator_choose(struct generator *g, struct conn *conn, struct request *request)
{
    const struct load *load = g->_load;
    if (g->_preload) {
        if (!choose_preload(g, conn, request))
            return false;
    } else if (load->trace != NULL) {
        return choose_from_trace(g, conn, request);
    } else {
        request->command = choose_command(g);
        request->key = placement_pick(&g->_picker, &g->_rng, load, conn->home_shard);
    }
    if (load->verify != NULL)
        choose_version(g, conn, request);
    return true;
}

/* ---- writing ------------------------------------------------------------- */

static uint64_t ttl_draw(struct generator *g)
{
    const struct load *load = g->_load;
    return load->ttl_low_ms + random_below(&g->_rng, load->ttl_high_ms - load->ttl_low_ms + 1);
}

static void write_digits(char *at, uint64_t value)
{
    for (char *end = at + RAND_DIGITS; end > at; value /= 10)
        *--end = (char)('0' + value % 10);
}

/* A command's first key is the chosen one; more keys follow the same command's placement. */
static void patch_key(struct generator *g, const struct conn *conn, const struct request *request,
                      char *at, bool first)
{
    uint64_t key = first ? request->key
                         : placement_pick_again(&g->_picker, &g->_rng, g->_load, conn->home_shard,
                                                request->key);
    key_name_write(&g->_load->key_name, at, key);
}

static void patch_request(struct generator *g, const struct conn *conn,
                          const struct request *request, const struct layout *layout, char *bytes)
{
    const struct verify *verify = g->_load->verify;
    bool first = true;
    for (uint32_t i = 0; i < layout->patches; i++) {
        char *at = bytes + layout->patch[i].offset;
        switch (layout->patch[i].part) {
        case PART_KEY:
            patch_key(g, conn, request, at, first);
            first = false;
            break;
        case PART_RAND:
            write_digits(at, random_below(&g->_rng, g->_load->keys));
            break;
        case PART_DATA:
            if (verify != NULL)
                verify_fill(verify, request->key, request->version, at, g->_fill.data_size);
            break;
        default:
            break;
        }
    }
}

void generator_write(struct generator *g, const struct conn *conn, const struct request *request,
                     struct buffer *out)
{
    struct layout *layout = &g->_layout[request->command];
    if (g->_varies[request->command]) {
        g->_fill.data_size = sizes_pick(&g->_load->sizes, &g->_rng);
        g->_fill.ttl_ms = ttl_draw(g);
        bool good = g->_load->target.protocol->lay_out(g->_load->mix->command[request->command],
                                                       &g->_fill, layout);
        must(good); /* it was possible at the start */
    }
    char *bytes = buffer_room(out, layout->size);
    memcpy(bytes, layout->bytes, layout->size);
    patch_request(g, conn, request, layout, bytes);
    out->size += layout->size;
}
