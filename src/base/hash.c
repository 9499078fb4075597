/*
 * hash.c - slots (CRC16) and table hashes (keyed XXH3) of keys.
 *
 * CRC16 is linear, so table k (a byte with k bytes behind it) is the xor of one constant for each
 * bit of the byte: the 4 KiB of tables are built by the compiler from 64 constants, and need no
 * start-up.
 */
#include "shoal/base/hash.h"
#include "shoal/base/must.h"
#include "shoal/base/random.h"
#include "shoal/base/refused.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SECRET_BYTES = 192 };

static _Alignas(64) uint8_t secret[SECRET_BYTES];

void hash_seed(void)
{
    size_t done = 0;
    while (done < SECRET_BYTES) {
        ssize_t n = getrandom(secret + done, SECRET_BYTES - done, 0);
        if (n < 0 && errno != EINTR)
            refused("random numbers for the hash could not be had", errno,
                    "allow the system call getrandom, which a seccomp profile may forbid");
        done += n > 0 ? (size_t)n : 0;
    }
}

void hash_seed_fixed(uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    for (size_t i = 0; i < SECRET_BYTES; i += sizeof(uint64_t)) {
        uint64_t z = random_next(&random);
        memcpy(secret + i, &z, sizeof(z));
    }
}

uint64_t hash_key(struct bytes key)
{
    return XXH3_64bits_withSecret(key.data, key.size, secret, SECRET_BYTES);
}

/* clang-format off */
/* x^(16+i) modulo x^16 + x^12 + x^5 + 1, for i = 0..63 */
#define POWERS(k, A, B, C, D, E, F, G, H) \
    enum { P##k##0 = A, P##k##1 = B, P##k##2 = C, P##k##3 = D, P##k##4 = E, P##k##5 = F, P##k##6 = G, P##k##7 = H };
POWERS(0, 0x1021, 0x2042, 0x4084, 0x8108, 0x1231, 0x2462, 0x48c4, 0x9188)
POWERS(1, 0x3331, 0x6662, 0xccc4, 0x89a9, 0x0373, 0x06e6, 0x0dcc, 0x1b98)
POWERS(2, 0x3730, 0x6e60, 0xdcc0, 0xa9a1, 0x4363, 0x86c6, 0x1dad, 0x3b5a)
POWERS(3, 0x76b4, 0xed68, 0xcaf1, 0x85c3, 0x1ba7, 0x374e, 0x6e9c, 0xdd38)
POWERS(4, 0xaa51, 0x4483, 0x8906, 0x022d, 0x045a, 0x08b4, 0x1168, 0x22d0)
POWERS(5, 0x45a0, 0x8b40, 0x06a1, 0x0d42, 0x1a84, 0x3508, 0x6a10, 0xd420)
POWERS(6, 0xb861, 0x60e3, 0xc1c6, 0x93ad, 0x377b, 0x6ef6, 0xddec, 0xabf9)
POWERS(7, 0x47d3, 0x8fa6, 0x0f6d, 0x1eda, 0x3db4, 0x7b68, 0xf6d0, 0xfd81)

#define BIT(b, i, p) (((b) >> (i) & 1) * (p))
#define CRC_OF(k, b) BIT(b, 0, P##k##0) ^ BIT(b, 1, P##k##1) ^ BIT(b, 2, P##k##2) ^ BIT(b, 3, P##k##3) ^ \
                     BIT(b, 4, P##k##4) ^ BIT(b, 5, P##k##5) ^ BIT(b, 6, P##k##6) ^ BIT(b, 7, P##k##7)
#define CRC_4(k, b) CRC_OF(k, (b)), CRC_OF(k, (b) + 1), CRC_OF(k, (b) + 2), CRC_OF(k, (b) + 3)
#define CRC_16(k, b) CRC_4(k, b), CRC_4(k, (b) + 4), CRC_4(k, (b) + 8), CRC_4(k, (b) + 12)
#define CRC_64(k, b) CRC_16(k, b), CRC_16(k, (b) + 16), CRC_16(k, (b) + 32), CRC_16(k, (b) + 48)
#define CRC_TABLE(k) { CRC_64(k, 0), CRC_64(k, 64), CRC_64(k, 128), CRC_64(k, 192) }

static const uint16_t crc_table[8][256] = {
    CRC_TABLE(0), CRC_TABLE(1), CRC_TABLE(2), CRC_TABLE(3),
    CRC_TABLE(4), CRC_TABLE(5), CRC_TABLE(6), CRC_TABLE(7),
};
/* clang-format on */

/* The eight bytes of `word`, lowest first, of which the first two have met the remainder so far.
 * The table reads do not wait for each other. */
static inline uint16_t crc16_eight(uint64_t word)
{
    uint16_t near = crc_table[7][word & 0xff] ^ crc_table[6][word >> 8 & 0xff] ^
                    crc_table[5][word >> 16 & 0xff] ^ crc_table[4][word >> 24 & 0xff];
    uint16_t far = crc_table[3][word >> 32 & 0xff] ^ crc_table[2][word >> 40 & 0xff] ^
                   crc_table[1][word >> 48 & 0xff] ^ crc_table[0][word >> 56];
    return near ^ far;
}

static inline uint64_t word_at(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}

/* The same of 2 to 7 bytes. */
static inline uint64_t few_at(const uint8_t *p, size_t size)
{
    uint64_t word = 0;
    size_t done = 0;
    if (size & 4) {
        word = (uint64_t)(p[0] | p[1] << 8 | p[2] << 16) | (uint64_t)p[3] << 24;
        done = 4;
    }
    if (size & 2) {
        word |= (uint64_t)(p[done] | p[done + 1] << 8) << 8 * done;
        done += 2;
    }
    if (size & 1)
        word |= (uint64_t)p[done] << 8 * done;
    return word;
}

uint16_t crc16(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint16_t crc = 0;
    for (; size >= 8; size -= 8, p += 8)
        crc = crc16_eight(word_at(p) ^ __builtin_bswap16(crc));
    if (size >= 2) /* zeros before them change nothing */
        return crc16_eight((few_at(p, size) ^ __builtin_bswap16(crc)) << 8 * (8 - size));
    if (size == 1)
        crc = (uint16_t)(crc << 8) ^ crc_table[0][p[0] ^ (crc >> 8)];
    return crc;
}

/* Whether any of the eight bytes at `p` is an opening brace. */
static inline bool has_brace(const char *p)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t x;
    memcpy(&x, p, sizeof(x));
    x ^= ones * '{';
    return ((x - ones) & ~x & tops) != 0;
}

/* memchr() costs as much as the whole CRC of a short key; the last words may overlap. */
static inline bool may_have_tag(struct bytes key)
{
    if (key.size < 8)
        return key.size >= 3 && memchr(key.data, '{', key.size) != NULL;
    for (size_t i = 0; i + 8 < key.size; i += 8)
        if (has_brace(key.data + i))
            return true;
    return has_brace(key.data + key.size - 8);
}

struct bytes hash_tag(struct bytes key)
{
    if (likely(!may_have_tag(key)))
        return key;
    const char *end = key.data + key.size;
    const char *open = memchr(key.data, '{', key.size);
    const char *close = memchr(open, '}', (size_t)(end - open));
    if (close == NULL || close == open + 1)
        return key;
    return bytes_of(open + 1, (size_t)(close - open - 1));
}
