import { inParallel } from "@tgo/registry";
import {
  askJudge,
  BAD_IMAGES,
  hasJudge,
  type Judge,
  MemoryRegistry,
  plantBadImages,
  serveMemory,
  type RegistryTwin,
} from "@tgo/testing";
import { afterAll, beforeAll, expect, it } from "vitest";

const AT_ONCE = 4;

let served: RegistryTwin;
beforeAll(async () => {
  const registry = new MemoryRegistry("localhost");
  plantBadImages(registry, "t");
  served = await serveMemory(registry);
});
afterAll(() => served.stop());

/** `npm run judges` asks the others, and says what to change in the list. */
const HERE: readonly Judge[] = ["skopeo", ...(hasJudge("crane") ? (["crane"] as const) : [])];

it.each(HERE)("%s refuses the bad images that it is said to refuse, and no others", async (judge) => {
  const { host } = served;
  expect((await askJudge(judge, { host, path: "t:good" })).refuses).toBe(false);
  const refused = await inParallel(AT_ONCE, BAD_IMAGES, async ({ name }) =>
    (await askJudge(judge, { host, path: `t/${name}:bad` })).refuses ? [name] : [],
  );
  expect(refused.flat()).toEqual(
    BAD_IMAGES.filter(({ refusedBy }) => refusedBy.includes(judge)).map(({ name }) => name),
  );
});
