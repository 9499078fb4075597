/*
 * sleep.pml - arrivals, sleep and wake-up of include/shoal/mesh/lanes.h and sleep.h, on processors that delay their
 * stores.
 *
 * Every store waits in its processor's buffer until it is flushed at some later time (TSO); so does the setting of a bit
 * in the arrivals, which is all that a release orders. A fence waits for the buffer, an exchange is done at once behind
 * it. A consumer that sleeps for ever is an invalid end state.
 *
 *   -DNO_PRODUCER_FENCE, -DNO_CONSUMER_FENCE, -DNO_RECHECK   planted
 *   -DLOAD_STORE                                            planted: load the flag, store 0 later, no exchange
 *   -DEARLY_BIT                                             planted: the bit may be seen before the tail
 *   -DLOAD_STORE_BITS                                       planted: load the arrivals, store 0 later, no exchange
 */
#define PRODUCERS 2
#define MESSAGES 2 /* of each */

byte tail[PRODUCERS];
bit arrived[PRODUCERS]; /* one word */
bit sleeping;
byte knocks;

/* the processors' store buffers */
bit tail_waits[PRODUCERS], bit_waits[PRODUCERS], zero_waits[PRODUCERS], flag_waits;
byte tail_value[PRODUCERS];
bit flag_value;

#ifdef EARLY_BIT
#define BIT_MAY_GO(p) bit_waits[p]
#else
#define BIT_MAY_GO(p) (bit_waits[p] && !tail_waits[p])
#endif

active proctype flusher()
{
end:
    do
    :: atomic { tail_waits[0] -> tail[0] = tail_value[0]; tail_waits[0] = 0 }
    :: atomic { tail_waits[1] -> tail[1] = tail_value[1]; tail_waits[1] = 0 }
    /* stores of one processor keep their order */
    :: atomic { BIT_MAY_GO(0) -> arrived[0] = 1; bit_waits[0] = 0 }
    :: atomic { BIT_MAY_GO(1) -> arrived[1] = 1; bit_waits[1] = 0 }
    :: atomic { zero_waits[0] && !tail_waits[0] && !bit_waits[0] -> sleeping = 0; zero_waits[0] = 0 }
    :: atomic { zero_waits[1] && !tail_waits[1] && !bit_waits[1] -> sleeping = 0; zero_waits[1] = 0 }
    :: atomic { flag_waits -> sleeping = flag_value; flag_waits = 0 }
    od
}

active [PRODUCERS] proctype producer()
{
    byte me = _pid - 1, i;
    for (i : 1 .. MESSAGES) {
        atomic {
            !tail_waits[me] && !bit_waits[me] && !zero_waits[me] ->
            tail_value[me] = i; tail_waits[me] = 1; bit_waits[me] = 1
        }
#ifndef NO_PRODUCER_FENCE
        !tail_waits[me] && !bit_waits[me];
#endif
        if
        :: sleeping ->
#ifdef LOAD_STORE
            zero_waits[me] = 1;
            knocks++;
#else
            bit was;
            atomic { !tail_waits[me] && !bit_waits[me] -> was = sleeping; sleeping = 0 }
            if
            :: was -> knocks++
            :: else
            fi
#endif
        :: else
        fi
    }
}

active proctype consumer()
{
    byte seen[PRODUCERS];
    bit ready[PRODUCERS];
    do
    :: ready[0] ->
        if
        :: tail[0] != seen[0] -> seen[0]++
        :: else -> ready[0] = 0
        fi
    :: ready[1] ->
        if
        :: tail[1] != seen[1] -> seen[1]++
        :: else -> ready[1] = 0
        fi
    :: arrived[0] || arrived[1] ->
#ifdef LOAD_STORE_BITS
        atomic { ready[0] = ready[0] | arrived[0]; ready[1] = ready[1] | arrived[1] }
        atomic { arrived[0] = 0; arrived[1] = 0 }
#else
        atomic {
            ready[0] = ready[0] | arrived[0]; ready[1] = ready[1] | arrived[1];
            arrived[0] = 0; arrived[1] = 0
        }
#endif
    :: seen[0] == MESSAGES && seen[1] == MESSAGES -> break
    :: !ready[0] && !ready[1] && !arrived[0] && !arrived[1] && seen[0] + seen[1] < 2 * MESSAGES ->
        atomic { !flag_waits -> flag_value = 1; flag_waits = 1 }
#ifndef NO_CONSUMER_FENCE
        !flag_waits;
#endif
#ifndef NO_RECHECK
        if
        :: arrived[0] || arrived[1]
        :: else -> atomic { knocks > 0 -> knocks-- }
        fi;
#else
        atomic { knocks > 0 -> knocks-- };
#endif
        atomic { !flag_waits -> flag_value = 0; flag_waits = 1 }
    od
}
