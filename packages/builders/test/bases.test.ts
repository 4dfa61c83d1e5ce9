import type { Client } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { Bases } from "../src/bases/bases.js";

/** An engine whose look-ups give these results, one after the other. */
function bases(results: readonly (string | Error)[]): { bases: Bases; asked: () => number } {
  let asked = 0;
  const imageRef = (): Promise<string> => {
    const result = results[asked++] ?? new Error("asked too often");
    return typeof result === "string" ? Promise.resolve(result) : Promise.reject(result);
  };
  const client = { container: () => ({ from: () => ({ imageRef }) }) } as unknown as Client;
  const made = new Bases({ client, native: "linux/amd64", mirrors: {}, pins: {}, service: () => undefined });
  return { bases: made, asked: () => asked };
}

const NAME = "docker.io/library/python:3.11-slim";
const DIGEST = `sha256:${"a".repeat(64)}`;
/** As the local engine sends an error of the registry client. */
const carried = (extensions: object): Error => Object.assign(new Error("the engine's words"), { extensions });

describe("the look-up of a base image", () => {
  it("that failed once is asked again, and one that succeeded is not", async () => {
    const { bases: made, asked } = bases([new Error("connection reset"), `${NAME}@${DIGEST}`]);
    await expect(made.digest(NAME)).rejects.toMatchObject({ code: "SOURCE" });
    expect(await made.digest(NAME)).toBe(DIGEST);
    expect(await made.digest(NAME)).toBe(DIGEST);
    expect(asked()).toBe(2);
  });

  it("tells what the registry wants, not what may be wrong with the mirror", async () => {
    const remedy = "The registry asks for 60 min: wait that long, then run the same command again.";
    const { bases: made } = bases([carried({ code: "UNAVAILABLE", what: "too many requests", remedy })]);
    await expect(made.digest(NAME)).rejects.toMatchObject({
      code: "SOURCE",
      what: `base image ${NAME} cannot be pulled for linux/amd64: too many requests`,
      remedy,
    });
  });

  it("that finds the machine's disk full says so", async () => {
    const full = carried({
      code: "ENVIRONMENT",
      what: "the disk is full",
      where: "/cache",
      remedy: "Free it.",
    });
    await expect(bases([full]).bases.digest(NAME)).rejects.toMatchObject({
      code: "ENVIRONMENT",
      where: "/cache",
    });
  });
});
