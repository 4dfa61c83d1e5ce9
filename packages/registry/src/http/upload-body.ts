import type { Content } from "./transport.js";
import type { IdleTimeout } from "./idle-timeout.js";

/** A request body on its way: remembers whether its source failed, which is not the server's fault. */
export class Upload {
  sourceFailure: unknown;

  constructor(private readonly watch: IdleTimeout) {}

  init(content: Content): RequestInit {
    if (content instanceof Uint8Array) return { body: content };
    const reader = content.getReader();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          this.watch.touch();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          this.sourceFailure = cause;
          controller.error(cause);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return { body, duplex: "half" };
  }
}
