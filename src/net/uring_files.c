/*
 * uring_files.c - registered files of an io_uring.
 */
#include "uring_files.h"

#include "uring_features.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
    /* liburing 2.3 does not know this feature of 6.14, the first one to show that 6.13's separate
       files are there; its value is the kernel's ABI */
    SHOAL_FEAT_RW_ATTR = 1 << 16,
};

/* The kernel refuses a table above the process's limit of descriptors. */
static uint32_t table_size(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > URING_FILES_MAX)
        return URING_FILES_MAX;
    return (uint32_t)limit.rlim_cur;
}

void uring_files_init(struct uring_files *files, struct io_uring *io, const char *features)
{
    *files = (struct uring_files){ .io = io };
    if (!uring_feature_asked(features, URING_REGISTERED_FILES) ||
        !(io->features & SHOAL_FEAT_RW_ATTR))
        return;
    uint32_t count = table_size();
    files->kept = calloc(count, 1);
    if (files->kept == NULL)
        return;
    if (io_uring_register_files_sparse(io, count) == 0) {
        files->count = count;
    } else {
        free(files->kept);
        files->kept = NULL;
    }
}

void uring_files_fini(struct uring_files *files)
{
    free(files->kept);
}

static bool update_slot(struct uring_files *files, int fd, int value)
{
    return io_uring_register_files_update(files->io, (unsigned)fd, &value, 1) == 1;
}

void uring_files_keep(struct uring_files *files, int fd)
{
    if ((uint32_t)fd < files->count && update_slot(files, fd, fd))
        files->kept[fd] = 1;
}

/* Forgotten even if the kernel refuses: the number will soon be another file's. */
void uring_files_drop(struct uring_files *files, int fd)
{
    if ((uint32_t)fd >= files->count || !files->kept[fd])
        return;
    update_slot(files, fd, -1);
    files->kept[fd] = 0;
}
