/*
 * memory.c - stands in front of the C library's allocator (the linker wraps it).
 */
#include "memory.h"

#include "sim.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PERTURB = 0x5a, POOL_BYTES = 256 << 20 };

static bool counting, may_fail;
static int64_t blocks;
static uint32_t locks;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
int __real_posix_memalign(void **memory, size_t align, size_t size);
char *__real_strdup(const char *text);
void __real_free(void *memory);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
int __wrap_posix_memalign(void **memory, size_t align, size_t size);
char *__wrap_strdup(const char *text);
void __wrap_free(void *memory);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);

void memory_begin(void)
{
    mallopt(M_PERTURB, PERTURB);
    counting = true;
}

int64_t memory_end(void)
{
    counting = false;
    return blocks;
}

void memory_fails(bool may)
{
    may_fail = may;
}

bool memory_holds_lock(void)
{
    return locks > 0;
}

static bool fails(void)
{
    if (!may_fail || !sim_one_in(sim.profile.no_memory))
        return false;
    totals.no_memory++;
    sim_note("no memory");
    return true;
}

static void *counted(void *memory)
{
    blocks += counting && memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (memory == NULL)
        return __wrap_malloc(size);
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : counted(__real_aligned_alloc(align, size));
}

int __wrap_posix_memalign(void **memory, size_t align, size_t size)
{
    if (fails())
        return 12;
    int error = __real_posix_memalign(memory, align, size);
    blocks += counting && error == 0;
    return error;
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

void __wrap_free(void *memory)
{
    blocks -= counting && memory != NULL;
    __real_free(memory);
}

/* Nobody else runs meanwhile: there is one thread, and it would wait for itself. */
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    locks++;
    return __real_pthread_mutex_lock(mutex);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    locks--;
    return __real_pthread_mutex_unlock(mutex);
}

/* Zeroed, from a place of its own, so that it moves none of the server's blocks. */
void *sim_alloc(size_t size)
{
    static char *pool;
    static size_t used;
    if (pool == NULL)
        pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size = (size + 63) & ~(size_t)63;
    if (used + size > POOL_BYTES)
        sim_fail("the simulator has no more memory of its own");
    used += size;
    return pool + used - size;
}

void sim_bytes_add(struct sim_bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->capacity) {
        char *old = bytes->data;
        bytes->capacity = 2 * (bytes->size + size) + 4096;
        bytes->data = sim_alloc(bytes->capacity);
        memcpy(bytes->data, old != NULL ? old : "", bytes->size);
    }
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}
