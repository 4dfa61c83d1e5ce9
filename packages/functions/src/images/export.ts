import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Directory } from "@dagger.io/dagger";
import { exportLayout } from "@tgo/inspection";
import type { Call } from "../call.js";
import { openReferences, requireReferences } from "../references.js";
import { sourceOf } from "./inspect.js";

/** An image with everything that refers to it, as an OCI image layout. */
export async function exportImage(call: Call, text: string): Promise<Directory> {
  const { client, host } = call;
  requireReferences("export", text === "" ? [] : [text]);
  const { references, named, progress } = await openReferences(call, [text]);
  const [reference] = references;
  if (reference === undefined) throw new Error("no reference");
  const image = named(reference);
  // A module may return only what is below its own folder.
  const folder = await mkdtemp(host.local === true ? join(tmpdir(), "tgo-export-") : "export-");
  await progress.step({ step: "export", service: image.reference.repository }, () =>
    exportLayout(sourceOf(image), folder),
  );
  if (host.local !== true) return client.currentModule().workdir(basename(folder));
  try {
    // The engine has its own copy then.
    return await client.host().directory(folder).sync();
  } finally {
    await rm(folder, { recursive: true });
  }
}
