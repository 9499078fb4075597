/*
 * push.pml - a push that says "this value has changed", include/shoal/mesh/message.h and conn/push.h: one connection whose
 * pipeline asks two shards, and one of them pushes.
 *
 * Value and push take two queues, either may be looked at first, and a value is kept until the answers before it have come.
 * In every order of events the client does not get an old value after it has been told that it changed: it would keep it.
 *
 *   -DNO_STAMP    planted: a push does not wait for the responses that its shard had made before it
 *   -DNO_BEHIND   planted: a push does not wait for the answers that are kept
 */
#define REQUESTS 3 /* the first is to another shard, the others are to the one that pushes */

chan to_other = [1] of { byte };
chan from_other = [1] of { byte };
chan to_shard = [REQUESTS] of { byte };
chan responses = [REQUESTS] of { byte, bit }; /* of which request, whether the value is the new one */
chan pushes = [1] of { byte };                /* behind how many responses */

bit changed; /* on the shard */

active proctype home()
{
    byte made, next, taken, id, after, behind;
    bit done[REQUESTS], is_new[REQUESTS], held, waits, told, new;
end:
    do
    :: atomic { made < REQUESTS ->
        if
        :: made == 0 -> to_other ! 0
        :: else -> to_shard ! made
        fi; made++ }
    :: atomic { from_other ? id -> done[id] = 1 }
    :: atomic { responses ? id, new -> taken++; done[id] = 1; is_new[id] = new }
    /* an answer is sent when it is next */
    :: atomic { next < REQUESTS && done[next] ->
        assert(next == 0 || !told || is_new[next]);
        next++ }
    :: atomic { !held && !waits && nempty(pushes) -> pushes ? after; held = 1 }
#ifdef NO_STAMP
    :: atomic { held ->
#else
    :: atomic { held && taken >= after ->
#endif
        held = 0; waits = 1; behind = 0;
#ifndef NO_BEHIND
        /* behind the last answer that is here */
        if
        :: done[2] -> behind = 3
        :: !done[2] && done[1] -> behind = 2
        :: else
        fi
#endif
        }
    :: atomic { waits && next >= behind -> waits = 0; told = 1 }
    od
}

active proctype other()
{
    byte id;
end:
    do
    :: atomic { to_other ? id -> from_other ! id }
    od
}

active proctype shard()
{
    byte id, made;
    bit knows; /* that the client has the value */
end:
    do
    :: atomic { nempty(to_shard) -> to_shard ? id; made++; responses ! id, changed; knows = 1 }
    :: atomic { !changed -> changed = 1;
        if
        :: knows -> pushes ! made
        :: else
        fi }
    od
}
