/*
 * fuzz_resp.c - RESP and inline requests: no crash, and splits change nothing. See run.sh.
 */
#include "split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return check_splits(PROTO_RESP2, data, size);
}
