/*
 * defrag.c - when to move, which items, and the moving.
 *
 * A batch is the blocks of some chains: their addresses are taken from the bucket words, so that
 * nothing of an item is read unless it moves. Blocks move last to first, since a chained bucket
 * comes before its items: their words are still where the batch has them.
 */
#include "shoal/store/keyspace/defrag.h"
#include "shoal/base/clock.h"
#include "shoal/store/keyspace/keyspace.h"

enum {
    BATCH_BLOCKS = 64,      /* chains are added until a batch has so many */
    BATCH_BLOCKS_MAX = 256, /* what goes beyond in one chain stays where it is */
    LINE_AHEAD = 8,         /* buckets fetched before they are read */
    LINE_BYTES = 64,
    MS_NS = 1000 * 1000,
    SLICE_NS = 50 * 1000, /* what another client may wait, and one batch more */
    SLICE_NS_MAX = 20 * SLICE_NS,
    SLICE_BUCKETS = 16,      /* between two looks at the clock: 50 us if every item moves */
    LOOK_INTERVAL_MS = 1000, /* between exact looks at the allocator */
    RETRY_MS_MIN = 1000,     /* after a pass in vain, and twice as long after each further one */
    RETRY_MS_MAX = 64 * 1000,
    SETTLED_PARTS = 3, /* it goes on until the waste is a third of what begins it */
    GAIN_PARTS = 8,    /* a pass is in vain when not an eighth of what lies idle has gone ... */
    VAIN_PARTS = 16,   /* ... and not a sixteenth of it has been moved (else new waste came) */
    CLASS_WASTE_PARTS = 50, /* a class with fewer than one place in 50 free is in order */
};

/* A block and the one word that refers to it. */
struct batch {
    unsigned count;
    uint64_t *word[BATCH_BLOCKS_MAX];
    void *block[BATCH_BLOCKS_MAX];
    bool is_item[BATCH_BLOCKS_MAX];
    struct slab_room slab[BATCH_BLOCKS_MAX];
};

void defrag_init(struct defrag *defrag, const struct arena *arena)
{
    *defrag = (struct defrag){ ._slabs = slabs_new(arena) };
}

void defrag_fini(struct defrag *defrag)
{
    slabs_free(&defrag->_slabs);
}

/* ---- gathering ----------------------------------------------------------- */

static void batch_add(struct batch *batch, uint64_t *word, bool is_item)
{
    if (batch->count == BATCH_BLOCKS_MAX)
        return;
    batch->word[batch->count] = word;
    batch->block[batch->count] = word_item(*word);
    batch->is_item[batch->count] = is_item;
    batch->count++;
}

static void add_chain(struct batch *batch, struct bucket *head)
{
    for (struct bucket *b = head; b != NULL; b = bucket_child(b)) {
        for (uint64_t used = bucket_used(b); used != 0; used &= used - 1)
            batch_add(batch, &b->slot[mask_first(used)], true);
        if (bucket_linked(b))
            batch_add(batch, &b->slot[BUCKET_LINK_SLOT], false);
    }
}

/* The table the pass is in, or the next that has a bucket left; NULL at the end of the pass. */
static struct table *table_at(struct keyspace *keyspace)
{
    struct defrag *defrag = &keyspace->defrag;
    for (; defrag->_db < DATABASES_MAX; defrag->_db++, defrag->_bucket = 0)
        if (defrag->_bucket < keyspace->db[defrag->_db]._buckets.count)
            return &keyspace->db[defrag->_db];
    return NULL;
}

static void gather(struct batch *batch, const struct directory *buckets, uint64_t *index,
                   uint64_t end)
{
    for (; *index < end && batch->count < BATCH_BLOCKS; ++*index) {
        if (*index + LINE_AHEAD < buckets->count)
            mem_prefetch(directory_at(buckets, *index + LINE_AHEAD));
        add_chain(batch, directory_at(buckets, *index));
    }
}

/* ---- choosing ------------------------------------------------------------ */

/* All slabs of the class of a block, as they were at most a batch ago. */
static const struct slab_class *class_of(struct defrag *defrag, const struct slab_room *slab,
                                         void *block)
{
    unsigned index = mem_class_index(slab->bytes / slab->places);
    dcheck(index < SLAB_CLASSES_MAX);
    if (defrag->_class_batch[index] != defrag->_batch) {
        defrag->_class_batch[index] = defrag->_batch;
        defrag->_class[index] = slabs_look_at_class(defrag->_slabs, block);
    }
    return &defrag->_class[index];
}

static bool should_move(struct defrag *defrag, const struct slab_room *slab, void *block)
{
    if (slab->free == 0)
        return false;
    const struct slab_class *class = class_of(defrag, slab, block);
    return slab->free * class->places > class->free * slab->places &&
           class->free * CLASS_WASTE_PARTS > class->places &&
           (uintptr_t)block - class->filling >= slab->bytes;
}

/* ---- moving -------------------------------------------------------------- */

/* Where the block is now; NULL: where it was. */
static void *move_block(struct defrag *defrag, const struct slab_room *slab, void *block)
{
    size_t size = slab->bytes / slab->places;
    void *to = slabs_alloc(defrag->_slabs, size);
    if (to == NULL)
        return NULL;
    memcpy(to, block, size);
    slabs_release(defrag->_slabs, block, size);
    defrag->_moved_bytes += size;
    return to;
}

static bool move(struct defrag *defrag, uint64_t *word, const struct slab_room *slab, void *block)
{
    void *to = move_block(defrag, slab, block);
    if (to != NULL)
        *word = word_with_item(*word, to);
    return to != NULL;
}

static void count(struct defrag *defrag, bool is_item, bool moved)
{
    struct defrag_figures *figures = &defrag->figures;
    figures->moved += moved;
    figures->left += !moved;
    figures->items_moved += is_item && moved;
    figures->items_left += is_item && !moved;
}

static void batch_move(struct defrag *defrag, struct batch *batch)
{
    bool moves[BATCH_BLOCKS_MAX];
    slabs_look(defrag->_slabs, batch->block, batch->count, batch->slab);
    defrag->_batch++;
    for (unsigned i = 0; i < batch->count; i++) {
        moves[i] = should_move(defrag, &batch->slab[i], batch->block[i]);
        if (moves[i]) {
            mem_prefetch(batch->block[i]);
            mem_prefetch((char *)batch->block[i] + LINE_BYTES);
        }
    }
    for (unsigned i = batch->count; i-- > 0;) {
        const struct slab_room *slab = &batch->slab[i];
        if (moves[i])
            moves[i] = move(defrag, batch->word[i], slab, batch->block[i]);
        count(defrag, batch->is_item[i], moves[i]);
    }
}

void *defrag_block(struct defrag *defrag, void *block)
{
    struct slab_room slab;
    slabs_look(defrag->_slabs, &block, 1, &slab);
    void *to = should_move(defrag, &slab, block) ? move_block(defrag, &slab, block) : NULL;
    count(defrag, false, to != NULL);
    return to != NULL ? to : block;
}

/* The items of the batch have moved, and their objects follow. */
static void batch_move_objects(struct defrag *defrag, const struct batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        struct item *item = batch->is_item[i] ? word_item(*batch->word[i]) : NULL;
        if (item == NULL || item_encoding(item) != ITEM_OBJECT || item_object(item)->owners > 1)
            continue;
        item_set_object(item, value_types[item_type(item)]->move(defrag, item_object(item)));
    }
}

bool defrag_run(struct keyspace *keyspace, uint64_t buckets)
{
    struct defrag *defrag = &keyspace->defrag;
    struct table *table;
    struct batch batch;
    if (defrag->_slabs == NULL)
        return true;
    while ((table = table_at(keyspace)) != NULL) {
        if (buckets == 0)
            return false;
        uint64_t first = defrag->_bucket, left = table->_buckets.count - first;
        batch.count = 0;
        gather(&batch, &table->_buckets, &defrag->_bucket,
               first + (left < buckets ? left : buckets));
        buckets -= defrag->_bucket - first;
        if (batch.count > 0)
            batch_move(defrag, &batch);
        if (keyspace->objects)
            batch_move_objects(defrag, &batch);
    }
    defrag->_db = 0;
    defrag->_bucket = 0;
    return true;
}

/* ---- when ---------------------------------------------------------------- */

/* `parts` as large as what the limits allow. */
static bool is_too_much(const struct defrag_limits *limits, uint64_t wasted, uint64_t allocated,
                        unsigned parts)
{
    return wasted > limits->ignore_bytes / parts &&
           wasted > allocated / (100 * parts) * limits->lower_percent;
}

/*
 * Bytes of pages beyond what keys and tables take: costs nothing to know, and no waste is larger.
 * Connections' buffers and what the allocator holds ready are in it too.
 */
static uint64_t idle_bytes(const struct keyspace *keyspace)
{
    uint64_t active = arena_active_bytes(keyspace->arena), used = keyspace_used(keyspace);
    return active > used ? active - used : 0;
}

static void wait_before_look(struct keyspace *keyspace, int64_t ms)
{
    keyspace->defrag._next_ms = keyspace->now_ms + ms;
    keyspace->defrag._looked_idle = idle_bytes(keyspace);
}

static void begin_pass(struct defrag *defrag, struct slab_totals totals)
{
    defrag->_wasted = totals.wasted_bytes;
    defrag->_moved_bytes = 0;
}

/* What an exact look says, and until when it counts. */
static int64_t look(struct keyspace *keyspace)
{
    struct defrag *defrag = &keyspace->defrag;
    uint64_t idle = idle_bytes(keyspace);
    if (!is_too_much(&defrag->limits, idle, keyspace_used(keyspace), 1))
        return -1;
    if (keyspace->now_ms < defrag->_next_ms)
        return idle == defrag->_looked_idle ? -1 : defrag->_next_ms - keyspace->now_ms;
    struct slab_totals totals = slabs_totals(defrag->_slabs);
    wait_before_look(keyspace, LOOK_INTERVAL_MS);
    if (!is_too_much(&defrag->limits, totals.wasted_bytes, totals.allocated_bytes, 1))
        return -1;
    slabs_flush_thread(defrag->_slabs);
    defrag->running = true;
    defrag->_run_ns = 0;
    defrag->_rest_ns = 0;
    begin_pass(defrag, totals);
    return 0;
}

/* Twice as long as after the last pass in vain, if there was none other since. */
static uint32_t next_retry(uint32_t retry_ms)
{
    if (retry_ms == 0)
        return RETRY_MS_MIN;
    return retry_ms < RETRY_MS_MAX ? retry_ms * 2 : retry_ms;
}

/* Another pass, unless what is left is little or the last one was in vain. */
static void end_pass(struct keyspace *keyspace)
{
    struct defrag *defrag = &keyspace->defrag;
    slabs_flush_thread(defrag->_slabs);
    struct slab_totals totals = slabs_totals(defrag->_slabs);
    bool settled =
        !is_too_much(&defrag->limits, totals.wasted_bytes, totals.allocated_bytes, SETTLED_PARTS);
    bool in_vain = !settled &&
                   totals.wasted_bytes > defrag->_wasted - defrag->_wasted / GAIN_PARTS &&
                   defrag->_moved_bytes < totals.wasted_bytes / VAIN_PARTS;
    defrag->_retry_ms = in_vain ? next_retry(defrag->_retry_ms) : 0;
    defrag->running = !settled && !in_vain;
    begin_pass(defrag, totals);
    if (!defrag->running)
        wait_before_look(keyspace, in_vain ? defrag->_retry_ms : LOOK_INTERVAL_MS);
}

/* Milliseconds from the beginning of a slice to the next; what they are too few is owed after the
 * next. */
static int64_t rest_after(struct defrag *defrag, uint64_t slice_ns)
{
    slice_ns = slice_ns < SLICE_NS_MAX ? slice_ns : SLICE_NS_MAX; /* more was somebody else's */
    defrag->_rest_ns += (int64_t)(slice_ns * 100 / defrag->limits.cycle_percent);
    int64_t wait_ms = defrag->_rest_ns / MS_NS > 0 ? defrag->_rest_ns / MS_NS : 1;
    defrag->_rest_ns -= wait_ms * MS_NS;
    if (defrag->_rest_ns < 0)
        defrag->_rest_ns = 0;
    return wait_ms;
}

static int64_t slice(struct keyspace *keyspace)
{
    struct defrag *defrag = &keyspace->defrag;
    uint64_t start = clock_mono_ns(), ns;
    bool end;
    do {
        end = defrag_run(keyspace, SLICE_BUCKETS);
        ns = clock_mono_ns() - start;
    } while (!end && ns < SLICE_NS);
    if (end) {
        end_pass(keyspace);
        ns = clock_mono_ns() - start;
    }
    defrag->figures.ns += ns;
    defrag->_run_ns += ns;
    if (!defrag->running)
        return look(keyspace);
    int64_t wait_ms = rest_after(defrag, ns);
    defrag->_next_ms = keyspace->now_ms + wait_ms;
    return wait_ms;
}

int64_t defrag_work(struct keyspace *keyspace)
{
    struct defrag *defrag = &keyspace->defrag;
    if (defrag->_slabs == NULL || !defrag->limits.on || keyspace_count(keyspace) == 0) {
        defrag->running = false;
        return -1;
    }
    if (!defrag->running) {
        int64_t wait_ms = look(keyspace);
        if (!defrag->running)
            return wait_ms;
    } else if (keyspace->now_ms < defrag->_next_ms) {
        return defrag->_next_ms - keyspace->now_ms;
    }
    return slice(keyspace);
}
