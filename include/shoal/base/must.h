/*
 * must.h - assertions for our own mistakes, never for what a client or the system can cause.
 *
 * must() stays on in release builds; dcheck() costs too much for that and is on in debug and
 * sanitizer builds (SHOAL_DCHECK).
 */
#ifndef SHOAL_BASE_MUST_H
#define SHOAL_BASE_MUST_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Prints where and what to stderr and aborts. Thread: any. */
_Noreturn void must_failed(const char *what, const char *file, int line);

#define must(x) (likely(x) ? (void)0 : must_failed(#x, __FILE__, __LINE__))

#ifdef SHOAL_DCHECK
#define dcheck(x) must(x)
enum { DCHECK_ON = 1 };
#else
#define dcheck(x) ((void)sizeof(x))
enum { DCHECK_ON = 0 };
#endif

#endif
