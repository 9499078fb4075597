/*
 * parked.pml - a command that waits on a shard, include/shoal/conn/parked.h: one place of a home where clients come and
 * go, and one shard.
 *
 * Two queues lead from shard to home, responses and pushes, and home looks at either first. Whatever the order of events,
 * an answer to a client that is still there is not lost and goes to nobody else, and when all clients have gone nobody
 * waits on the shard.
 *
 *   -DNO_STAMP    planted: an answer does not wait for the responses before it
 *   -DNO_CANCEL   planted: a client that goes while its command is on its way is not cancelled when that is parked
 *   -DBY_PLACE    planted: an answer names the place of its client and not the client
 */
#define CLIENTS 3
#define COMMANDS 2 /* of each, at most */
#define WAKES 3    /* events that a command waits for: they need not come */

mtype = { command, cancel, answered, parked, cancelled };
mtype = { idle, sent, waiting };

chan to_shard = [8] of { mtype, byte }; /* what, of which client */
chan responses = [8] of { mtype, byte };
chan pushes = [4] of { byte, byte }; /* the answer to which client, behind how many responses */

byte client, left = COMMANDS; /* who is at the place, and how many commands of it are to come */
mtype state = idle;
bit dying; /* it has gone, but its command is on its way */
byte made, taken; /* responses, by the shard and at home */
bit waits[CLIENTS]; /* on the shard */

inline gone() { client++; left = COMMANDS; state = idle; dying = 0 }

active proctype home()
{
    byte id, held_id, held_after;
    bit held;
    mtype what;
end:
    do
    :: atomic { client < CLIENTS && state == idle && left > 0 && nfull(to_shard) ->
        to_shard ! command, client; left--; state = sent }
    :: atomic { client < CLIENTS && state == idle -> gone() }
    :: atomic { state == sent && !dying -> dying = 1 }
    :: atomic { state == waiting && nfull(to_shard) -> to_shard ! cancel, client; gone() }
    :: atomic { responses ? what, id ->
        taken++;
        if
        :: what == cancelled
        :: what == answered -> assert(id == client && state == sent);
            if
            :: dying -> gone()
            :: else -> state = idle
            fi
        :: what == parked -> assert(id == client && state == sent);
            if
            :: dying ->
#ifndef NO_CANCEL
                assert(nfull(to_shard)); to_shard ! cancel, client;
#endif
                gone()
            :: else -> state = waiting
            fi
        fi }
    :: atomic { !held && nempty(pushes) -> pushes ? held_id, held_after; held = 1 }
#ifdef NO_STAMP
    :: atomic { held ->
#else
    :: atomic { held && taken >= held_after ->
#endif
        held = 0;
        if
#ifdef BY_PLACE
        :: state == waiting -> assert(held_id == client); state = idle
#else
        :: state == waiting && held_id == client -> state = idle
#endif
        :: else -> assert(held_id < client) /* it has gone */
        fi }
    od
}

active proctype shard()
{
    byte id, wakes = WAKES;
    mtype what;
end:
    do
    :: atomic { nfull(responses) && nempty(to_shard) -> to_shard ? what, id;
        made++;
        if
        :: what == cancel -> waits[id] = 0; responses ! cancelled, id
        :: what == command -> responses ! answered, id
        :: what == command -> waits[id] = 1; responses ! parked, id
        fi }
    :: atomic { waits[0] && wakes > 0 && nfull(pushes) -> wakes--; waits[0] = 0; pushes ! 0, made }
    :: atomic { waits[1] && wakes > 0 && nfull(pushes) -> wakes--; waits[1] = 0; pushes ! 1, made }
    :: atomic { waits[2] && wakes > 0 && nfull(pushes) -> wakes--; waits[2] = 0; pushes ! 2, made }
    od
}

/* Nothing can happen any more. */
active proctype the_end()
{
    timeout -> assert(client == CLIENTS && !waits[0] && !waits[1] && !waits[2])
}
