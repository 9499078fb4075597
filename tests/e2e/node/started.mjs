// A started server for the tests in JavaScript, and the count of what passed.
//
// Environment: SHOAL, the binary; PORT, the first of ten ports. A sanitizer's build is recognised
// by the folder it lies in, and SCALE says how much less there is to do with it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import readline from "node:readline";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const SHOAL = process.env.SHOAL ?? path.join(ROOT, "build/shoal");
const PORT = Number(process.env.PORT ?? 27200);
const MODE = path.basename(path.dirname(SHOAL));
export const SCALE = ["asan", "ubsan", "tsan", "debug", "tiny"].includes(MODE) ? 5 : 1;

const TEST_MS = 240_000;
const OUTPUT_LINES_KEPT = 400;

export class Server {
    static async start(shards, ...options) {
        const server = new Server();
        server.port = PORT + (Server.started++ % 10);
        server.shards = shards;
        server.folder = mkdtempSync(path.join(tmpdir(), "shoal-e2e-"));
        server.socketPath = path.join(server.folder, "s");
        await server.run(["--port", server.port, "--unixsocket", server.socketPath,
                          "--shards", shards, ...options]);
        return server;
    }

    static started = 0;

    run(words) {
        this.output = [];
        this.process = spawn(SHOAL, words.map(String), { stdio: ["ignore", "pipe", "pipe"] });
        this.ended = new Promise((resolve) => this.process.once("close", resolve));
        return new Promise((resolve, reject) => {
            for (const stream of [this.process.stdout, this.process.stderr])
                readline.createInterface({ input: stream }).on("line", (line) => {
                    this.output.push(line);
                    this.output.splice(0, this.output.length - OUTPUT_LINES_KEPT);
                    if (line.includes("Ready to accept connections"))
                        resolve();
                });
            this.process.once("error", reject);
            this.ended.then((status) => reject(new Error(
                `the server ended with status ${status}:\n${this.output.join("\n")}`)));
        });
    }

    async endsWell() {
        this.process.kill("SIGTERM");
        const status = await this.ended;
        rmSync(this.folder, { recursive: true, force: true });
        if (status !== 0)
            throw new Error(`ended with status ${status}:\n${this.output.join("\n")}`);
    }
}

// Runs functions, each of them one test, and says in the end how many passed.
export class Tests {
    passed = 0;
    failed = 0;

    async run(name, test) {
        let timer;
        const timeOut = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error(`no end after ${TEST_MS} ms`)), TEST_MS);
        });
        try {
            await Promise.race([test(), timeOut]);
            this.passed++;
        } catch (error) {
            this.failed++;
            console.log(`FAIL ${name}\n${shorten(error.stack ?? String(error))}\n`);
        } finally {
            clearTimeout(timer);
        }
    }

    finish() {
        console.log(`${this.passed} passed, ${this.failed} failed`);
        process.exit(this.failed > 0 ? 1 : 0);
    }
}

// Every test of the list over every way to connect; `begin` is called before each.
export async function runAll(counted, server, list, Connector, begin = async () => {}) {
    for (const transport of ["tcp", "unix"])
        for (const protocol of [3, 2])
            for (const [name, test] of Object.entries(list)) {
                const on = new Connector(server, transport, protocol);
                await counted.run(
                    `${name} (${server.shards} shards, ${transport}, RESP${protocol})`,
                    async () => {
                        await begin(on);
                        await test(on);
                    });
                on.close();
            }
    await counted.run(`the server ends well (${server.shards} shards)`, () => server.endsWell());
}

function shorten(text) {
    return text.length > 3000 ? `${text.slice(0, 3000)} ...` : text;
}
