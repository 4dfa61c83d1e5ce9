import { dag, func, object, type Platform, type Secret, type Service } from "@dagger.io/dagger";

@object()
export class Greeting {
  @func({ cache: "never" })
  async publish(
    to: string[],
    base: string,
    dockerConfig: Secret,
    registryService?: Service[],
    mirror?: string[],
  ): Promise<string[]> {
    const variants = ["linux/amd64", "linux/arm64"].map((platform) =>
      dag
        .container({ platform: platform as Platform })
        .from(base)
        .withNewFile("/greeting", "hello\n"),
    );
    return dag.multiarch({ dockerConfig, registryService, mirror }).publish(variants, to);
  }
}
