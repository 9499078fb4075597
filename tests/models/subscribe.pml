/*
 * subscribe.pml - SUBSCRIBE and UNSUBSCRIBE of one client at its home, and a reactor where somebody publishes,
 * include/shoal/pubsub/pubsub.h.
 *
 * Home says +1 and -1 by two queues, since a part of a transaction may overtake a notice. Whatever the order of events, a
 * message that is published after the client has read the answer to SUBSCRIBE is sent to its home, and in the end the
 * reactor knows of nobody.
 *
 *   -DANSWER_EARLY   planted: SUBSCRIBE is answered before the reactor has counted
 *   -DNOT_ADDED      planted: the reactor notes that there are subscribers or none, instead of counting
 *   -DNOT_GIVEN_BACK planted: a client that dies while it subscribes gives back nothing
 */
#define ROUNDS 3

chan plus = [ROUNDS] of { bit };
chan minus = [ROUNDS] of { bit };
chan counted = [ROUNDS] of { bit };

byte count;   /* at the reactor */
bit may_rely; /* the client has read the answer and has not unsubscribed since */
bit home_is_done;

active proctype home()
{
    byte rounds;
    do
    :: rounds < ROUNDS ->
        rounds++;
        plus ! 1;
#ifdef ANSWER_EARLY
        may_rely = 1;
#endif
        counted ? 1;
        if
        :: skip; /* the client has died meanwhile */
#ifndef NOT_GIVEN_BACK
            minus ! 1
#endif
        :: atomic { may_rely = 1 }
            /* ... and later it unsubscribes, resets or dies */
            atomic { may_rely = 0 }
            minus ! 1
        fi
    :: rounds == ROUNDS -> break
    od;
    home_is_done = 1
}

active proctype reactor()
{
    byte published;
    do
    :: atomic { nempty(plus) -> plus ? 1; counted ! 1;
#ifdef NOT_ADDED
        count = 1
#else
        count++
#endif
        }
    :: atomic { nempty(minus) -> minus ? 1;
#ifdef NOT_ADDED
        count = 0
#else
        assert(count > 0); count--
#endif
        }
    :: atomic { published < 2 * ROUNDS -> published++; assert(!may_rely || count > 0) }
    :: atomic { home_is_done && empty(plus) && empty(minus) -> break }
    od;
    assert(count == 0)
}
