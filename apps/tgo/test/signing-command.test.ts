import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rejection } from "@tgo/testing";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readSigningCommand } from "../src/signing-command.js";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo signing-"));
  await writeFile(join(folder, "key.pem"), privateKey.export({ type: "pkcs8", format: "pem" }));
  await writeFile(join(folder, "key.pub"), publicKey.export({ type: "spki", format: "pem" }));
  // As a service's program: `kms`, with the digest on its standard input or as an argument.
  const kms = [
    'case "$1" in',
    "stdin) openssl pkeyutl -sign -inkey key.pem ;;",
    'argument) printf %s "$2" | openssl base64 -d -A | openssl pkeyutl -sign -inkey key.pem | openssl base64 ;;',
    '*) echo "AccessDenied: $*" >&2; exit 7 ;;',
    "esac",
  ];
  await writeFile(join(folder, "kms"), ["#!/bin/sh", ...kms, ""].join("\n"));
  await chmod(join(folder, "kms"), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

const open = (signingCommand: string, signingPublicKey = "key.pub") =>
  readSigningCommand({ signingCommand, signingPublicKey }, { env: process.env, cwd: folder });

it.each(["./kms stdin", "./kms 'argument' {digest}"])(
  "%s signs without handing out its key",
  async (command) => {
    const signWith = await open(command);
    if (signWith === undefined) throw new Error("there is no command");
    const data = Buffer.from("a statement");
    const printed = Buffer.from(await signWith.signDigest(createHash("sha256").update(data).digest()));
    const signature = printed[0] === 0x30 ? printed : Buffer.from(printed.toString(), "base64");
    expect(verify("sha256", data, createPublicKey(signWith.publicKey), signature)).toBe(true);
  },
);

it("is run without a shell", async () => {
  expect((await rejection(open("./kms stdin; touch stolen"))).message).toContain(
    "the signing command is not one program with its arguments",
  );
  expect((await rejection(open("./kms stdin | cat"))).message).toContain("not one program");
  const signWith = await open('./kms "$(touch stolen)" $HOME');
  const failed = await rejection(signWith?.signDigest(new Uint8Array(32)) ?? Promise.resolve());
  expect(failed.message).toContain("./kms ended with 7:\nAccessDenied: $(touch stolen) $HOME");
});

it("needs its public key, and a program that exists", async () => {
  const alone = readSigningCommand(
    { signingCommand: "./kms stdin", signingPublicKey: undefined },
    { env: {}, cwd: folder },
  );
  expect((await rejection(alone)).message).toContain("are given together");
  expect((await rejection(open("./kms stdin", "none.pub"))).message).toContain("--signing-public-key");
  const missing = (await open("no-such-program"))?.signDigest(new Uint8Array(32));
  expect((await rejection(missing ?? Promise.resolve())).message).toContain("no-such-program cannot be run");
});
