import type { Platform } from "@tgo/catalog";
import { errorResponse, MemoryRegistry } from "@tgo/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { waitForVariants } from "../../src/variants/wait-for-variants.js";
import { contextOf, KEY, NAME, preparedOf, putVariant, REPOSITORY } from "./stored-variants.js";

const AMD: Platform = "linux/amd64";
const ARM: Platform = "linux/arm64";
const NOW = { waitMs: 0 };

let first: MemoryRegistry;
let second: MemoryRegistry;

beforeEach(() => {
  first = new MemoryRegistry("first.test");
  second = new MemoryRegistry("second.test");
});

const find = (waitMs = 0, told?: (note: string) => void): ReturnType<typeof waitForVariants> =>
  waitForVariants(contextOf([first, second], told), preparedOf(), { waitMs });

describe("An assembly looks for the platforms of a candidate", () => {
  it("and takes a registry that has all of them", async () => {
    await putVariant(first.client(), preparedOf(), AMD);
    const manifests = [
      await putVariant(second.client(), preparedOf(), AMD),
      await putVariant(second.client(), preparedOf(), ARM, { ownKey: `${KEY}-native` }),
    ];
    const { target, variants } = await find();
    expect(target.name).toBe("second.test");
    expect(variants.map(({ platform, manifest, key }) => [platform, manifest, key])).toEqual([
      [AMD, manifests[0], KEY],
      [ARM, manifests[1], `${KEY}-native`],
    ]);
  });

  it.each<[Platform[], string]>([
    [[], "no registry has linux/amd64 and linux/arm64 of candidate 0123456789abcdef"],
    [[AMD], "no registry has linux/arm64 of candidate 0123456789abcdef; first.test has linux/amd64"],
  ])("and names what is missing beside %j, and the command that builds it", async (there, what) => {
    for (const platform of there) await putVariant(first.client(), preparedOf(), platform);
    const remedy = expect.stringContaining(
      `tgo build-variant --service ${NAME} --platform linux/arm64\n`,
    ) as string;
    await expect(find()).rejects.toMatchObject({ code: "NOT_FOUND", what, remedy });
  });

  it("and names the version in the command", async () => {
    const run = waitForVariants(contextOf([first]), preparedOf({ version: "1.2.3" }), NOW);
    await expect(run).rejects.toMatchObject({
      remedy: expect.stringContaining("--platform linux/arm64 --version 1.2.3") as string,
    });
  });

  it("and refuses two keys of one commit", async () => {
    await putVariant(first.client(), preparedOf(), AMD);
    await putVariant(first.client(), preparedOf({ key: "fedcba9876543210" }), ARM);
    await expect(find()).rejects.toMatchObject({
      code: "CONFLICT",
      what: `the platforms of ${NAME} have two keys: ${ARM} is missing under ${KEY}, and there as variant-fedcba9876543210-linux-arm64`,
    });
  });

  it.each<[string, Parameters<typeof putVariant>[3]]>([
    ["another candidate's key", { ownKey: "fedcba9876543210" }],
    ["an annotation more", { more: { note: "added later" } }],
  ])("and takes none with %s", async (_, change) => {
    await putVariant(first.client(), preparedOf(), AMD);
    await putVariant(first.client(), preparedOf(), ARM, change);
    await expect(find()).rejects.toMatchObject({
      code: "VERIFY",
      what: `variant-${KEY}-linux-arm64 is not an image that build-variant made for this candidate`,
    });
  });

  it("and takes none of another machine", async () => {
    await putVariant(first.client(), preparedOf(), AMD);
    const { manifests } = first;
    const stolen = manifests.get(`${REPOSITORY} variant-${KEY}-linux-amd64`);
    if (stolen !== undefined) manifests.set(`${REPOSITORY} variant-${KEY}-linux-arm64`, stolen);
    await expect(find()).rejects.toMatchObject({ what: expect.stringMatching(/linux\/arm64/) as string });
  });

  it("and does not take a registry that fails for one that lacks them", async () => {
    first.intercept = ({ url }) =>
      url.pathname.includes("/manifests/") ? errorResponse(403, "DENIED", "no access") : undefined;
    await expect(find()).rejects.toMatchObject({ code: "DENIED" });
  });

  it("and waits for one that another machine still builds, saying so once", async () => {
    await putVariant(first.client(), preparedOf(), AMD);
    const notes: string[] = [];
    const found = find(60_000, (note) => notes.push(note));
    setTimeout(() => void putVariant(first.client(), preparedOf(), ARM), 100);
    expect((await found).variants.map(({ platform }) => platform)).toEqual([AMD, ARM]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^waiting up to .* for linux\/arm64: another machine builds it with\ntgo build-variant --service tgo-api --platform linux\/arm64$/,
      ),
    ]);
  });

  it("and waits no longer than it may", async () => {
    const started = performance.now();
    await expect(find(300)).rejects.toMatchObject({
      code: "NOT_FOUND",
      what: "after 0.3 s, no registry has linux/amd64 and linux/arm64 of candidate 0123456789abcdef",
      remedy: expect.stringMatching(/^See whether the other machine's job failed[^]*again\.$/) as string,
    });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it.each<[string, number, string]>([
    ["UNAUTHORIZED", 401, "UNAUTHORIZED"],
    ["DENIED", 403, "DENIED"],
  ])("and does not wait for a registry that goes on to refuse: %s", async (code, status, error) => {
    first.intercept = ({ url }) =>
      url.pathname.includes("/manifests/") ? errorResponse(status, error, "no access") : undefined;
    const notes: string[] = [];
    await expect(find(60_000, (note) => notes.push(note))).rejects.toMatchObject({ code });
    expect(notes).toEqual([]);
  });

  it("and waits for a registry that fails and recovers, and does not say that its platforms are missing", async () => {
    await putVariant(first.client(), preparedOf(), AMD);
    await putVariant(first.client(), preparedOf(), ARM);
    first.intercept = ({ url }) =>
      url.pathname.includes("/manifests/variant")
        ? new Response("<html>", { headers: { "content-type": "text/html" } })
        : undefined;
    const notes: string[] = [];
    const { variants } = await find(60_000, (note) => {
      notes.push(note);
      first.intercept = () => undefined;
    });
    expect(variants.map(({ platform }) => platform)).toEqual([AMD, ARM]);
    expect(notes).toEqual([expect.stringMatching(/^first\.test[^]*\nasked again for up to/)]);
  });

  it("and says while it waits that another key was built", async () => {
    await putVariant(first.client(), preparedOf(), AMD);
    await putVariant(first.client(), preparedOf({ key: "fedcba9876543210" }), ARM);
    const notes: string[] = [];
    await find(60_000, (note) => {
      notes.push(note);
      if (notes.length === 2) void putVariant(first.client(), preparedOf(), ARM);
    });
    expect(notes).toEqual([
      expect.stringMatching(/^waiting up to .* for linux\/arm64/),
      expect.stringContaining(
        "variant-fedcba9876543210-linux-arm64 is of the same commit and has another key",
      ),
    ]);
  });

  it("and stops when its user does", async () => {
    const stop = new AbortController();
    const context = { ...contextOf([first]), signal: stop.signal };
    const waiting = waitForVariants(context, preparedOf(), { waitMs: 60_000 });
    setTimeout(() => {
      stop.abort(new DOMException("interrupted by the user", "AbortError"));
    }, 100);
    const started = performance.now();
    await expect(waiting).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
