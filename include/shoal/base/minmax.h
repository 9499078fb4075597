/*
 * minmax.h - the smaller and the larger of two numbers.
 *
 * Each argument is evaluated once, and both are compared in the type that `a < b` has. The branch
 * that is never taken lets -Wsign-compare see them as they are written: a variable with a sign is
 * refused beside one without, a constant is not.
 */
#ifndef SHOAL_BASE_MINMAX_H
#define SHOAL_BASE_MINMAX_H

#define min(a, b)                                                                                  \
    ({                                                                                             \
        __typeof__(1 ? (a) : (b)) min_a_ = (a), min_b_ = (b);                                      \
        if (0)                                                                                     \
            (void)((a) < (b));                                                                     \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                         \
    })

#define max(a, b)                                                                                  \
    ({                                                                                             \
        __typeof__(1 ? (a) : (b)) max_a_ = (a), max_b_ = (b);                                      \
        if (0)                                                                                     \
            (void)((a) < (b));                                                                     \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                         \
    })

#endif
