// redis (node-redis) against a started server, in RESP3 (its default) and RESP2, over TCP and a
// Unix socket.
import assert from "node:assert/strict";
import { createClient, createClientPool, RESP_TYPES, WatchError } from "redis";

import { SCALE, Server, Tests, runAll } from "./started.mjs";

const BIG = Math.floor((8 << 20) / SCALE);
const PASSWORD = "correct horse";

// Clients of one server over one transport with one protocol; all are closed in the end.
class Connector {
    clients = [];

    constructor(server, transport, protocol) {
        const socket = transport === "unix" ? { path: server.socketPath }
                                            : { host: "127.0.0.1", port: server.port };
        this.options = { socket: { ...socket, reconnectStrategy: false }, RESP: protocol };
    }

    async connect(options = {}) {
        const client = createClient({ ...this.options, ...options });
        client.on("error", () => {}); // each test sees its own command fail
        this.clients.push(client);
        await client.connect();
        return client;
    }

    close() {
        for (const client of this.clients)
            if (client.isOpen)
                client.destroy();
    }
}

const tests = {
    async "gets what was set"(on) {
        const client = await on.connect();
        assert.equal(await client.set("name", "shoal"), "OK");
        assert.equal(await client.get("name"), "shoal");
        assert.equal(await client.get("missing"), null);
        assert.equal(await client.set("name", "x", { condition: "NX" }), null);
        assert.equal(await client.set("name", "x",
                                      { expiration: { type: "EX", value: 100 }, GET: true }),
                     "shoal");
        assert.ok((await client.ttl("name")) > 90);
        assert.equal(await client.incrBy("n", 42), 42);
        assert.equal(await client.incrByFloat("n", 0.5), "42.5");
        assert.equal(await client.mSet({ a: "1", b: "2" }), "OK");
        assert.deepEqual(await client.mGet(["a", "missing", "b"]), ["1", null, "2"]);
        assert.equal(await client.mSetNX({ b: "3", c: "3" }), 0);
        assert.equal(await client.del(["a", "b", "none"]), 2);
        assert.equal(await client.getDel("n"), "42.5");
        assert.equal(await client.exists("n"), 0);
        assert.equal(await client.type("name"), "string");
    },

    async "speaks the protocol asked for"(on) {
        const client = await on.connect({ name: "speaking" });
        const fields = await client.hello();
        assert.equal(fields.proto, on.options.RESP);
        const [mine] = (await client.clientList()).filter(({ name }) => name === "speaking");
        assert.equal(mine.resp, on.options.RESP);
        assert.equal(mine.libName, "node-redis");
        assert.deepEqual({ ...(await client.configGet("databases")) }, { databases: "16" });
        assert.match(await client.info("server"), /\r\nredis_version:\d/);
    },

    async "commands without waiting answer in order"(on) {
        const client = await on.connect(), count = 2000 / SCALE;
        const replies = await Promise.all(Array.from({ length: count }, (_, i) => [
            client.set(`key:${i}`, String(i)), client.get(`key:${i}`)]).flat());
        replies.forEach((reply, i) => assert.equal(reply, i % 2 === 0 ? "OK" : String(i >> 1)));
        assert.equal(await client.dbSize(), count);
    },

    async "a pipeline reports each error"(on) {
        const client = await on.connect();
        await client.set("text", "x");
        const ends = await Promise.allSettled(
            [client.set("a", "1"), client.incr("text"), client.get("a")]);
        assert.deepEqual([ends[0].value, ends[2].value], ["OK", "1"]);
        assert.equal(ends[1].reason.message, "ERR value is not an integer or out of range");
        const replies = await client.multi().set("a", "2").incr("text").get("a").exec()
            .catch((error) => error.replies);
        assert.deepEqual([replies[0], replies[2]], ["OK", "2"]);
        assert.equal(replies[1].message, "ERR value is not an integer or out of range");
    },

    async "MULTI is one unit"(on) {
        const client = await on.connect();
        assert.deepEqual(await client.multi().set("a", "1").incr("a").mGet(["a", "b"]).exec(),
                         ["OK", 2, ["2", null]]);
        await assert.rejects(client.multi().set("never", "1").addCommand(["GET"]).exec(),
                             /EXECABORT|wrong number of arguments/);
        assert.equal(await client.exists("never"), 0);
    },

    async "WATCH stops EXEC when the key changed"(on) {
        const client = await on.connect(), other = await on.connect();
        await client.watch(["watched", "far"]);
        await other.set("far", "1");
        await assert.rejects(client.multi().set("result", "never").exec(), WatchError);
        await client.watch("watched");
        await other.set("unrelated", "1");
        assert.deepEqual(await client.multi().set("result", "now").exec(), ["OK"]);
    },

    async "big values come back whole"(on) {
        const client = await on.connect();
        const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
        const values = [1, 2, 3, 4].map((i) => Buffer.alloc(Math.floor(BIG / i), 64 + i));
        await Promise.all(values.map((value, i) => client.set(`big:${i}`, value)));
        for (const [i, value] of values.entries())
            assert.ok(value.equals(await buffers.get(`big:${i}`)), `big:${i}`);
        const together = await buffers.mGet(values.map((_, i) => `big:${i}`));
        together.forEach((value, i) => assert.ok(values[i].equals(value), `big:${i} of MGET`));
        assert.equal(await client.strLen("big:0"), BIG);
    },

    async "errors have Redis's texts"(on) {
        const client = await on.connect();
        await client.set("text", "x");
        await assert.rejects(client.incr("text"),
                             { message: "ERR value is not an integer or out of range" });
        await assert.rejects(client.sendCommand(["GET"]),
                             { message: "ERR wrong number of arguments for 'get' command" });
        await assert.rejects(client.sendCommand(["NOSUCH", "a", "b"]), {
            message: "ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' " });
        assert.equal(await client.get("text"), "x");
    },

    async "SCAN finds every key"(on) {
        const client = await on.connect(), count = 1000 / SCALE, seen = new Set();
        await client.mSet(Array.from({ length: count }, (_, i) => [`user:${i}`, String(i)]));
        await client.set("other", "1");
        for await (const keys of client.scanIterator({ MATCH: "user:*", COUNT: 50 }))
            keys.forEach((key) => seen.add(key));
        assert.equal(seen.size, count);
    },

    async "databases are apart"(on) {
        const zero = await on.connect(), three = await on.connect({ database: 3 });
        await zero.set("k", "zero");
        await three.set("k", "three");
        assert.deepEqual([await zero.get("k"), await three.get("k")], ["zero", "three"]);
        await three.select(0);
        assert.equal(await three.get("k"), "zero");
        await (await on.connect({ database: 3 })).flushDb();
        assert.equal(await zero.dbSize(), 1);
    },

    async "messages reach their listeners in order"(on) {
        const client = await on.connect(), listener = await on.connect(), count = 200 / SCALE;
        const heard = [], matched = [];
        await listener.subscribe("news", (text, channel) => heard.push(`${channel} ${text}`));
        await listener.pSubscribe("n*", (text, channel) => matched.push(`${channel} ${text}`));
        await listener.sSubscribe("shard", (text) => heard.push(text));
        const receivers = await Promise.all(
            Array.from({ length: count }, (_, i) => client.publish("news", String(i))));
        assert.deepEqual(receivers, Array(count).fill(2));
        assert.equal(await client.sPublish("shard", "of a shard"), 1);
        while (heard.length + matched.length < 2 * count + 1)
            await new Promise(setImmediate); // on their way from another thread
        await listener.sUnsubscribe("shard");
        await listener.unsubscribe("news");
        await listener.pUnsubscribe();
        assert.equal(await client.publish("news", "late"), 0);
        const wanted = Array.from({ length: count }, (_, i) => `news ${i}`);
        assert.deepEqual(matched, wanted);
        assert.deepEqual(heard, [...wanted, "of a shard"]);
        assert.equal(await listener.get("k"), null);
    },

    async "a pool of clients shares the work"(on) {
        const pool = createClientPool(on.options, { minimum: 1, maximum: 5 });
        pool.on("error", () => {});
        await pool.connect();
        const replies = await Promise.all(
            Array.from({ length: 500 / SCALE }, () => pool.incr("total")));
        assert.equal(new Set(replies).size, 500 / SCALE);
        await pool.close();
    },
};

async function passwordIsAskedFor(on) {
    await assert.rejects((async () => (await on.connect()).get("k"))(), /NOAUTH/);
    await assert.rejects(on.connect({ password: "wrong" }), /WRONGPASS/);
    const client = await on.connect({ password: PASSWORD, database: 1 });
    assert.equal(await client.set("k", "1"), "OK");
    const other = await on.connect({ username: "default", password: PASSWORD });
    assert.equal(await other.get("k"), null);
}

const counted = new Tests();
for (const shards of [1, 3])
    await runAll(counted, await Server.start(shards), tests, Connector,
        async (on) => (await on.connect()).flushAll());
await runAll(counted, await Server.start(2, "--requirepass", PASSWORD), { passwordIsAskedFor }, Connector);
counted.finish();
