/*
 * sleep.pml - sleep and wake-up of include/shoal/mesh/sleep.h, on processors that delay their stores.
 *
 * Every store waits in its processor's buffer until it is flushed at some later time (TSO); a fence waits for that, an
 * exchange is done at once behind it. A consumer that sleeps for ever is an invalid end state.
 *
 *   -DNO_PRODUCER_FENCE, -DNO_CONSUMER_FENCE, -DNO_RECHECK   planted
 *   -DLOAD_STORE                                            planted: load the flag, store 0 later, no exchange
 */
#define PRODUCERS 2
#define MESSAGES 2 /* of each */

byte tail[PRODUCERS];
bit sleeping;
byte knocks;

/* the processors' store buffers */
bit tail_waits[PRODUCERS], zero_waits[PRODUCERS], flag_waits;
byte tail_value[PRODUCERS];
bit flag_value;

active proctype flusher()
{
    byte p;
end:
    do
    :: atomic { tail_waits[0] -> tail[0] = tail_value[0]; tail_waits[0] = 0 }
    :: atomic { tail_waits[1] -> tail[1] = tail_value[1]; tail_waits[1] = 0 }
    /* stores of one processor keep their order */
    :: atomic { zero_waits[0] && !tail_waits[0] -> sleeping = 0; zero_waits[0] = 0 }
    :: atomic { zero_waits[1] && !tail_waits[1] -> sleeping = 0; zero_waits[1] = 0 }
    :: atomic { flag_waits -> sleeping = flag_value; flag_waits = 0 }
    od
}

active [PRODUCERS] proctype producer()
{
    byte me = _pid - 1, i;
    for (i : 1 .. MESSAGES) {
        atomic { !tail_waits[me] && !zero_waits[me] -> tail_value[me] = i; tail_waits[me] = 1 }
#ifndef NO_PRODUCER_FENCE
        !tail_waits[me];
#endif
        if
        :: sleeping ->
#ifdef LOAD_STORE
            zero_waits[me] = 1;
            knocks++;
#else
            bit was;
            atomic { !tail_waits[me] -> was = sleeping; sleeping = 0 }
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
    do
    :: tail[0] != seen[0] -> seen[0]++
    :: tail[1] != seen[1] -> seen[1]++
    :: seen[0] == MESSAGES && seen[1] == MESSAGES -> break
    :: tail[0] == seen[0] && tail[1] == seen[1] && seen[0] + seen[1] < 2 * MESSAGES ->
        atomic { !flag_waits -> flag_value = 1; flag_waits = 1 }
#ifndef NO_CONSUMER_FENCE
        !flag_waits;
#endif
#ifndef NO_RECHECK
        if
        :: tail[0] != seen[0]
        :: else ->
            if
            :: tail[1] != seen[1]
            :: else -> atomic { knocks > 0 -> knocks-- }
            fi
        fi;
#else
        atomic { knocks > 0 -> knocks-- };
#endif
        atomic { !flag_waits -> flag_value = 0; flag_waits = 1 }
    od
}
