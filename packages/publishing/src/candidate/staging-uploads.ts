import type { BuildContext, Built } from "@tgo/builders";
import { repositoryOf, type Target } from "../targets/target.js";
import { pushStaging } from "./push-staging.js";

/** What is uploaded: a service's image, under a staging tag. */
export interface StagedImage {
  readonly service: string;
  readonly tag: string;
}

/** Uploads of one image to registries under a staging tag. They begin while the image is tested. */
export class StagingUploads {
  readonly #uploads = new Map<string, Upload>();
  readonly #stop = new AbortController();

  constructor(
    private readonly context: Pick<BuildContext, "client" | "progress">,
    private readonly image: StagedImage,
  ) {}

  /** Begins the uploads to registries, unless they were abandoned. Their errors are for {@link digest} to throw. */
  begin(targets: readonly Target[], built: Built): void {
    if (this.#stop.signal.aborted) return;
    for (const target of targets) this.#upload(target, built).digest.catch(() => undefined);
  }

  /**
   * Waits for a registry's upload, which begins now if it has not yet.
   * @returns the digest of what the engine pushed
   * @throws TgoError UNAVAILABLE, or the engine's error
   */
  digest(target: Target, built: Built): Promise<string> {
    return this.#upload(target, built).digest;
  }

  /**
   * Waits for no upload any more: the image failed its test. The engine cannot be told to stop one; it ends with it, or with
   * the session.
   * @returns what that leaves in the registries, one line each
   */
  abandon(): string[] {
    this.#stop.abort();
    const { tag } = this.image;
    const uploads = [...this.#uploads.values()];
    const named = (state: Upload["state"]): string =>
      uploads.flatMap((upload) => (upload.state === state ? [upload.target.name] : [])).join(", ");
    const [done, running] = [named("done"), named("running")];
    return [
      ...(done === "" ? [] : [`uploaded before the test failed: ${tag} in ${done}, which prune removes`]),
      ...(running === ""
        ? []
        : [`upload abandoned when the test failed: ${tag} may appear in ${running}; prune removes it`]),
    ];
  }

  #upload(target: Target, { variants }: Built): Upload {
    const known = this.#uploads.get(target.name);
    if (known !== undefined) return known;
    const { service, tag } = this.image;
    const repository = `${target.registry.host}/${repositoryOf(target, service)}`;
    const step = { step: "upload", service, registry: target.name, repository } as const;
    const digest = this.context.progress.step(step, () =>
      pushStaging(this.context, { target, service, variants, tag, stop: this.#stop.signal }),
    );
    const upload: Upload = { target, digest, state: "running" };
    this.#uploads.set(target.name, upload);
    digest.then(
      () => (upload.state = "done"),
      () => (upload.state = this.#stop.signal.aborted ? "running" : "failed"),
    );
    return upload;
  }
}

interface Upload {
  readonly target: Target;
  readonly digest: Promise<string>;
  state: "running" | "done" | "failed";
}
