import type { Built } from "@tgo/builders";
import { Progress } from "@tgo/progress";
import { expect, it } from "vitest";
import { StagingUploads } from "../../src/candidate/staging-uploads.js";
import type { Target } from "../../src/targets/target.js";

const TAG = "staging-0123456789abcdef";
const targetOf = (name: string): Target =>
  ({
    name,
    registry: { host: `${name}.example.com`, repository: "tgoai/{service}", names: {} },
  }) as unknown as Target;
const [done, hangs, denies] = ["done", "hangs", "denies"].map(targetOf) as [Target, Target, Target];

/** Uploads by an engine to which one registry never answers, and another says no. */
function uploadsOf() {
  const asked: string[] = [];
  const publish = (reference: string): Promise<string> => {
    asked.push(reference);
    if (reference.startsWith("hangs")) return new Promise(() => undefined);
    if (reference.startsWith("denies")) return Promise.reject(new Error("denied"));
    return Promise.resolve(`${reference}@sha256:1`);
  };
  const context = { client: {} as never, progress: new Progress(() => undefined) };
  const uploads = new StagingUploads(context, { service: "tgo-api", tag: TAG });
  const built = { variants: [{ platform: "linux/amd64", container: { publish } }] } as unknown as Built;
  return { uploads, built, asked };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

it("an upload that has begun is waited for, not begun again; one for another registry begins when it is asked for", async () => {
  const { uploads, built, asked } = uploadsOf();
  uploads.begin([done], built);
  expect(asked).toEqual([`done.example.com/tgoai/tgo-api:${TAG}`]);
  expect(await uploads.digest(done, built)).toBe("sha256:1");
  expect(await uploads.digest(targetOf("late"), built)).toBe("sha256:1");
  expect(asked).toHaveLength(2);
});

it("an upload that fails before anyone waits for it is told to whoever does", async () => {
  const { uploads, built } = uploadsOf();
  uploads.begin([denies], built);
  await settled();
  await expect(uploads.digest(denies, built)).rejects.toThrow("denied");
});

it("abandoned uploads hold up nothing, and are named with what they leave", async () => {
  const { uploads, built, asked } = uploadsOf();
  uploads.begin([done, hangs, denies], built);
  await settled();
  expect(uploads.abandon()).toEqual([
    `uploaded before the test failed: ${TAG} in done, which prune removes`,
    `upload abandoned when the test failed: ${TAG} may appear in hangs; prune removes it`,
  ]);
  await expect(uploads.digest(hangs, built)).rejects.toThrow();
  // What is checked too late begins none.
  uploads.begin([targetOf("late")], built);
  expect(asked).toHaveLength(3);
});
