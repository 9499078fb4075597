/*
 * credits.pml - requests, responses and credits of include/shoal/mesh/mesh.h between two reactors.
 *
 * Each makes calls to the other; every call is answered, at once or later; nobody ever waits for room. Ordinary
 * calls take a credit, urgent ones are bounded by the layer above; the response ring has room for both kinds.
 *
 *   -DWAIT_FOR_ROOM       planted: no credits, and whoever finds a ring full waits without draining its own
 *   -DCREDIT_TOO_MANY     planted: one credit more than the response ring has room for
 *   -DCREDIT_FOR_URGENT   planted: the response to an urgent call gives back a credit, too
 */
#define RING 2
#define URGENT 1
#define CALLS 4

#ifdef CREDIT_TOO_MANY
#define CREDITS (RING + 1)
#else
#define CREDITS RING
#endif

mtype = { ordinary, urgent };
chan requests[2] = [RING] of { mtype };
chan responses[2] = [RING + URGENT] of { mtype };

proctype reactor(bit me)
{
    byte to_make = CALLS, unanswered, served, credits = CREDITS, urgents;
    byte later_ordinary, later_urgent; /* taken, not yet answered */
    mtype kind;
    do
#ifdef WAIT_FOR_ROOM
    :: to_make > 0 -> requests[me] ! ordinary; to_make--; unanswered++
    :: later_ordinary > 0 -> responses[me] ! ordinary; later_ordinary--; served++
    :: requests[1 - me] ? kind -> responses[me] ! kind; served++
#else
    :: atomic { to_make > 0 && credits > 0 && nfull(requests[me]) ->
        requests[me] ! ordinary; to_make--; credits--; unanswered++ }
    :: atomic { to_make > 0 && urgents < URGENT && nfull(requests[me]) ->
        requests[me] ! urgent; to_make--; urgents++; unanswered++ }
    :: atomic { requests[1 - me] ? kind ->
        if
        :: kind == urgent -> later_urgent++
        :: else -> later_ordinary++
        fi }
    :: atomic { later_ordinary > 0 -> assert(nfull(responses[me])); responses[me] ! ordinary;
        later_ordinary--; served++ }
    :: atomic { later_urgent > 0 -> assert(nfull(responses[me])); responses[me] ! urgent;
        later_urgent--; served++ }
#endif
    :: atomic { responses[1 - me] ? kind ->
        unanswered--;
        if
        :: kind == urgent ->
            urgents--;
#ifdef CREDIT_FOR_URGENT
            credits++
#endif
        :: else -> credits++
        fi;
#ifndef WAIT_FOR_ROOM
        assert(credits <= CREDITS)
#endif
        }
    :: to_make == 0 && unanswered == 0 && served == CALLS -> break
    od
}

init
{
    atomic { run reactor(0); run reactor(1) }
}
