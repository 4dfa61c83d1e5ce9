import { expect, it } from "vitest";
import { TransferMeter } from "../src/transfer-meter.js";

const bytes = (size: number): Uint8Array => new Uint8Array(size);

function stream(...sizes: number[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const size of sizes) controller.enqueue(bytes(size));
      controller.close();
    },
  });
}

function meter(now: () => number): { told: [number, number][]; meter: TransferMeter } {
  const told: [number, number][] = [];
  const blobs = [
    { digest: "a", size: 60 },
    { digest: "b", size: 40 },
    { digest: "b", size: 40 },
  ];
  return { told, meter: new TransferMeter(blobs, (done, total) => told.push([done, total]), now) };
}

async function read(content: Uint8Array | ReadableStream<Uint8Array>): Promise<void> {
  for await (const chunk of content as ReadableStream<Uint8Array>) expect(chunk.length).toBeGreaterThan(0);
}

it("counts what is read of each blob, one of several layers once, and again where it is sent again", async () => {
  let time = 0;
  const { told, meter: counted } = meter(() => (time += 200));
  await read(counted.count("a", stream(10, 20)));
  await read(counted.count("a", stream(10, 50)));
  counted.finish("a", 60);
  counted.finish("b", 40);
  expect(told).toEqual([
    [10, 100],
    [30, 100],
    [10, 100],
    [60, 100],
    [60, 100],
    [100, 100],
  ]);
});

it("does not tell every chunk, but every blob's end", async () => {
  const { told, meter: counted } = meter(() => 0);
  await read(counted.count("a", stream(...Array.from({ length: 60 }, () => 1))));
  counted.finish("a", 60);
  expect(told).toEqual([
    [1, 100],
    [60, 100],
  ]);
});

it("counts blobs that are added later", () => {
  const { told, meter: counted } = meter(() => 0);
  counted.add({ digest: "b", size: 40 });
  counted.finish("a", 60);
  counted.add({ digest: "c", size: 100 });
  counted.finish("c", 100);
  expect(told).toEqual([
    [60, 100],
    [160, 200],
  ]);
});
