/*
 * uring_files.h - the descriptors that an io_uring holds on to, so that an operation on one need
 * not look it up and count it. Private to the engine.
 *
 * A descriptor's place in the ring's table is its own number: descriptors are small integers, and
 * one beyond the table is used as it is.
 *
 * Only on kernels that let go of each file by itself (6.13). Before, files were let go in the order
 * of removal, and one idle receive would have kept every socket closed after it was started.
 */
#ifndef SHOAL_NET_URING_FILES_H
#define SHOAL_NET_URING_FILES_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

enum { URING_FILES_MAX = 16 * 1024 };

struct uring_files {
    struct io_uring *io;
    uint32_t count; /* size of the table; 0: not available */
    uint8_t *kept;  /* [count] 1: the ring holds it */
};

/* Without kernel support or memory, descriptors are just used as they are. */
void uring_files_init(struct uring_files *files, struct io_uring *io, const char *features);
void uring_files_fini(struct uring_files *files);

void uring_files_keep(struct uring_files *files, int fd);

/* Before close(): the file stays open for as long as the ring holds it. */
void uring_files_drop(struct uring_files *files, int fd);

/* Makes a prepared operation on `fd` use the held file, if there is one. */
static inline void uring_files_use(const struct uring_files *files, struct io_uring_sqe *sqe,
                                   int fd)
{
    if ((uint32_t)fd < files->count && files->kept[fd])
        sqe->flags |= IOSQE_FIXED_FILE;
}

#endif
