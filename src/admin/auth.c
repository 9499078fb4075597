/*
 * auth.c - the comparison of passwords.
 */
#include "shoal/admin/auth.h"

#include <assert.h>

#include "shoal/conn/conn.h"
#include "shoal/options/options.h"
#include "shoal/reactor/reactor.h"
#include "shoal/stats/stats.h"

static_assert(sizeof(((struct settings *)0)->requirepass) == PASSWORD_SIZE, "one size for both");

bool password_equals(const char secret[PASSWORD_SIZE], struct bytes given)
{
    char padded[PASSWORD_SIZE] = { 0 };
    size_t taken = given.size < PASSWORD_SIZE ? given.size : PASSWORD_SIZE;
    if (taken > 0)
        memcpy(padded, given.data, taken);
    size_t secret_size = 0, inside = 1;
    unsigned difference = 0;
    for (size_t i = 0; i < PASSWORD_SIZE; i++) {
        inside &= secret[i] != '\0';
        secret_size += inside;
        difference |= (unsigned char)(secret[i] & -(char)inside) ^ (unsigned char)padded[i];
    }
    return (difference | (secret_size ^ given.size)) == 0;
}

const char *auth_refusal(const struct conn *conn, struct bytes user, struct bytes password)
{
    const struct reactor *reactor = conn->reactor;
    const char *secret = reactor->settings->requirepass;
    bool known = bytes_equal(user, bytes_str("default"));
    bool right = secret[0] == '\0' || password_equals(secret, password);
    if (known && right)
        return NULL;
    counter_add(&reactor->stats->auth_denied, 1);
    return "WRONGPASS invalid username-password pair or user is disabled.";
}
