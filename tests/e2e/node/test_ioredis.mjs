// ioredis against a started server, in RESP3 (its default) and RESP2, over TCP and a Unix socket.
import assert from "node:assert/strict";
import { Redis } from "ioredis";

import { SCALE, Server, Tests, runAll } from "./started.mjs";

const BIG = Math.floor((8 << 20) / SCALE);
const PASSWORD = "correct horse";

// Clients of one server over one transport with one protocol; all are closed in the end.
class Connector {
    clients = [];

    constructor(server, transport, protocol) {
        this.options = transport === "unix" ? { path: server.socketPath } : { port: server.port };
        this.options.protocol = protocol;
    }

    connect(options = {}) {
        const client = new Redis({ ...this.options, retryStrategy: () => null, ...options });
        client.on("error", () => {}); // each test sees its own command fail
        this.clients.push(client);
        return client;
    }

    close() {
        for (const client of this.clients)
            client.disconnect();
    }
}

const tests = {
    async "gets what was set"(on) {
        const client = on.connect();
        assert.equal(await client.set("name", "shoal"), "OK");
        assert.equal(await client.get("name"), "shoal");
        assert.equal(await client.get("missing"), null);
        const binary = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
        assert.equal(await client.set(binary, binary), "OK");
        assert.deepEqual(await client.getBuffer(binary), binary);
        assert.equal(await client.incrby("n", 42), 42);
        assert.equal(await client.incrbyfloat("n", "0.5"), "42.5");
        assert.deepEqual(await client.mget("name", "missing", "n"), ["shoal", null, "42.5"]);
        assert.equal(await client.set("name", "x", "EX", 100, "NX"), null);
        assert.equal(await client.set("name", "x", "EX", 100, "GET"), "shoal");
        assert.ok((await client.ttl("name")) > 90);
        assert.equal(await client.mset({ a: 1, b: 2 }), "OK");
        assert.equal(await client.del("a", "b", "none"), 2);
        assert.equal(client.status, "ready");
    },

    async "is ready with the protocol asked for"(on) {
        const client = on.connect({ connectionName: "ready" });
        const fields = await client.call("HELLO");
        const pairs = Array.isArray(fields) ? Object.fromEntries(
            fields.flatMap((name, i) => (i % 2 === 0 ? [[name, fields[i + 1]]] : []))) : fields;
        assert.equal(pairs.proto, on.options.protocol);
        assert.match(await client.client("LIST"), / name=ready .* lib-name=ioredis/);
        assert.match(await client.info(), /\r\nloading:0\r\n/);
    },

    async "pipelines answer in order"(on) {
        const client = on.connect(), count = 2000 / SCALE;
        const pipeline = client.pipeline();
        for (let i = 0; i < count; i++)
            pipeline.set(`key:${i}`, i).get(`key:${i}`);
        const replies = await pipeline.exec();
        assert.equal(replies.length, 2 * count);
        replies.forEach(([error, reply], i) => {
            assert.equal(error, null);
            assert.equal(reply, i % 2 === 0 ? "OK" : String(i >> 1));
        });
        assert.equal(await client.dbsize(), count);
    },

    async "commands without waiting answer in order"(on) {
        const client = on.connect({ enableAutoPipelining: true });
        const replies = await Promise.all(
            Array.from({ length: 1000 / SCALE }, (_, i) => client.incr(`n${i % 7}`)));
        replies.forEach((reply, i) => assert.equal(reply, Math.floor(i / 7) + 1));
    },

    async "a pipeline reports each error"(on) {
        const client = on.connect();
        const replies = await client.pipeline().set("text", "x").incr("text").get("text")
            .call("NOSUCH", "a").exec();
        assert.deepEqual(replies.map(([error]) => error?.message), [
            undefined, "ERR value is not an integer or out of range", undefined,
            "ERR unknown command 'NOSUCH', with args beginning with: 'a' "]);
        assert.equal(replies[2][1], "x");
    },

    async "MULTI is one unit"(on) {
        const client = on.connect();
        assert.deepEqual(await client.multi().set("a", 1).incr("a").mget("a", "b").exec(),
                         [[null, "OK"], [null, 2], [null, ["2", null]]]);
        await client.multi({ pipeline: false });
        assert.equal(await client.set("far", "x"), "QUEUED");
        assert.equal(await client.get("far"), "QUEUED");
        assert.deepEqual(await client.exec(), ["OK", "x"].map((reply) => [null, reply]));
        await assert.rejects(client.multi().set("never", 1).call("GET").exec(), /EXECABORT/);
        assert.equal(await client.exists("never"), 0);
    },

    async "WATCH stops EXEC when the key changed"(on) {
        const client = on.connect(), other = on.connect();
        await client.watch("watched", "far");
        await other.set("far", 1);
        assert.equal(await client.multi().set("result", "never").exec(), null);
        await client.watch("watched");
        await other.set("unrelated", 1);
        assert.deepEqual(await client.multi().set("result", "now").exec(), [[null, "OK"]]);
    },

    async "big values come back whole"(on) {
        const client = on.connect();
        const values = [1, 2, 3, 4].map((i) => Buffer.alloc(Math.floor(BIG / i), 64 + i));
        await Promise.all(values.map((value, i) => client.set(`big:${i}`, value)));
        for (const [i, value] of values.entries())
            assert.ok(value.equals(await client.getBuffer(`big:${i}`)), `big:${i}`);
        const together = await client.mgetBuffer(values.map((_, i) => `big:${i}`));
        together.forEach((value, i) => assert.ok(values[i].equals(value), `big:${i} of MGET`));
        assert.equal(await client.strlen("big:0"), BIG);
    },

    async "errors have Redis's texts"(on) {
        const client = on.connect();
        await client.set("text", "x");
        await assert.rejects(client.incr("text"),
                             { name: "ReplyError",
                               message: "ERR value is not an integer or out of range" });
        await assert.rejects(client.call("GET"),
                             { message: "ERR wrong number of arguments for 'get' command" });
        await assert.rejects(client.call("CLIENT", "WHAT"), /ERR unknown subcommand 'WHAT'/);
        assert.equal(await client.get("text"), "x");
    },

    async "SCAN finds every key"(on) {
        const client = on.connect(), count = 1000 / SCALE, seen = new Set();
        await client.mset(...Array.from({ length: count }, (_, i) => [`user:${i}`, i]).flat());
        await client.set("other", 1);
        for await (const keys of client.scanStream({ match: "user:*", count: 50 }))
            keys.forEach((key) => seen.add(key));
        assert.equal(seen.size, count);
    },

    async "databases are apart"(on) {
        const zero = on.connect(), three = on.connect({ db: 3 });
        await zero.set("k", "zero");
        await three.set("k", "three");
        assert.deepEqual([await zero.get("k"), await three.get("k")], ["zero", "three"]);
        await three.select(0);
        assert.equal(await three.get("k"), "zero");
        await on.connect({ db: 3 }).flushdb();
        assert.equal(await zero.dbsize(), 1);
    },

    async "messages reach their listeners in order"(on) {
        const client = on.connect(), listeners = [on.connect(), on.connect()], heard = [[], []];
        const count = 200 / SCALE;
        for (const [i, listener] of listeners.entries()) {
            listener.on("message", (channel, text) => heard[i].push(`${channel} ${text}`));
            listener.on("pmessage", (pattern, channel, text) =>
                heard[i].push(`${pattern} ${channel} ${text}`));
        }
        assert.equal(await listeners[0].subscribe("news", "other"), 2);
        assert.equal(await listeners[1].psubscribe("n*"), 1);
        const receivers = await Promise.all(
            Array.from({ length: count }, (_, i) => client.publish("news", String(i))));
        assert.deepEqual(receivers, Array(count).fill(2));
        while (heard.some((texts) => texts.length < count))
            await new Promise(setImmediate); // on their way from another thread
        assert.equal(await listeners[0].unsubscribe("news"), 1);
        assert.equal(await listeners[1].punsubscribe(), 0);
        assert.equal(await client.publish("news", "late"), 0);
        assert.deepEqual(heard[0], Array.from({ length: count }, (_, i) => `news ${i}`));
        assert.deepEqual(heard[1], Array.from({ length: count }, (_, i) => `n* news ${i}`));
        assert.equal(await listeners[1].get("k"), null); // no longer a subscriber
    },

    async "a killed client connects again"(on) {
        const client = on.connect({ retryStrategy: () => 10, db: 2 }), other = on.connect();
        const id = await client.client("ID");
        assert.equal(await other.client("KILL", "ID", id), 1);
        // Sent before or after it noticed: repeated by the client either way.
        assert.equal(await client.set("after", "1"), "OK");
        while ((await client.client("ID")) === id)
            ;
        assert.equal(await client.get("after"), "1");
        assert.equal(await other.get("after"), null);
    },
};

async function passwordIsAskedFor(on) {
    await assert.rejects(on.connect({ enableReadyCheck: false }).get("k"), /NOAUTH/);
    await assert.rejects(on.connect({ password: "wrong" }).get("k"), /WRONGPASS|Connection is closed/);
    const client = on.connect({ password: PASSWORD, db: 1 });
    assert.equal(await client.set("k", 1), "OK");
    assert.equal(await on.connect({ username: "default", password: PASSWORD }).get("k"), null);
}

const counted = new Tests();
for (const shards of [1, 3])
    await runAll(counted, await Server.start(shards), tests, Connector,
        (on) => on.connect().flushall());
await runAll(counted, await Server.start(2, "--requirepass", PASSWORD), { passwordIsAskedFor }, Connector);
counted.finish();
