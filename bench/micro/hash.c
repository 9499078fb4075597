/*
 * hash.c - nanoseconds per key of the slot and of the table hash, by key size.
 */
#include "shoal/base/hash.h"
#include "timing.h"

#include <stdio.h>

enum { KEYS = 1024, ROUNDS = 4000, SIZE_MAX_BYTES = 256 };

static char keys[KEYS][SIZE_MAX_BYTES];

static double slot_ns(size_t size)
{
    uint64_t sum = 0;
    double start = now_ns();
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < KEYS; i++)
            sum += hash_slot(bytes_of(keys[i], size));
    double ns = (now_ns() - start) / ((double)KEYS * ROUNDS);
    __asm__ volatile("" : : "r"(sum));
    return ns;
}

static double key_ns(size_t size)
{
    uint64_t sum = 0;
    double start = now_ns();
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < KEYS; i++)
            sum += hash_key(bytes_of(keys[i], size));
    double ns = (now_ns() - start) / ((double)KEYS * ROUNDS);
    __asm__ volatile("" : : "r"(sum));
    return ns;
}

int main(void)
{
    static const size_t sizes[] = { 4, 8, 12, 16, 24, 32, 64, 250 };
    hash_seed();
    for (int i = 0; i < KEYS; i++)
        for (int j = 0; j < SIZE_MAX_BYTES; j++)
            keys[i][j] = (char)('a' + mix((uint64_t)(i * SIZE_MAX_BYTES + j)) % 26);
    printf("%8s %10s %10s   ns a key\n", "bytes", "hash_slot", "hash_key");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        printf("%8zu %10.2f %10.2f\n", sizes[i], slot_ns(sizes[i]), key_ns(sizes[i]));
    return 0;
}
