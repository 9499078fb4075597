/*
 * fuzz_native.c - native requests: no crash, and splits change nothing. See run.sh.
 *
 * sources  src/proto/decode.c src/proto/decode_inline.c src/proto/decode_native.c
 * sources  src/proto/decode_resp.c src/proto/resize.c src/base/escape.c src/base/number.c
 * options  -max_len=2048
 */
#include "split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return check_splits(PROTO_NATIVE, data, size);
}
