/*
 * fail_malloc.c - an allocator in front of the allocator, to be preloaded, whose memory runs out
 * when a test says so.
 *
 * The file named by FAIL_MALLOC is shared with the test: so many allocations pass, then so many
 * fail, from whichever thread they come.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct order {
    _Atomic int pass, fail;
};

static struct order *order;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("FAIL_MALLOC");
    int file = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *memory = mmap(NULL, sizeof(*order), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED)
        order = memory;
}

/* Relaxed: it does not matter which of two simultaneous allocations is the one that fails. */
static bool fails(void)
{
    if (order == NULL || atomic_load_explicit(&order->fail, memory_order_relaxed) <= 0)
        return false;
    if (atomic_fetch_sub_explicit(&order->pass, 1, memory_order_relaxed) > 0)
        return false;
    atomic_fetch_sub_explicit(&order->fail, 1, memory_order_relaxed);
    errno = ENOMEM;
    return true;
}

/* The function of this name behind ours. */
#define NEXT(function)                                                                             \
    ({                                                                                             \
        static typeof(&function) next;                                                             \
        if (next == NULL)                                                                          \
            next = (typeof(&function))dlsym(RTLD_NEXT, #function);                                 \
        next;                                                                                      \
    })

void *malloc(size_t size)
{
    return fails() ? NULL : NEXT(malloc)(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : NEXT(calloc)(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : NEXT(realloc)(memory, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    return fails() ? NULL : NEXT(aligned_alloc)(align, size);
}

void *mallocx(size_t size, int flags);
void *mallocx(size_t size, int flags)
{
    return fails() ? NULL : NEXT(mallocx)(size, flags);
}
