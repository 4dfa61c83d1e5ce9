import type { Content } from "./request.js";
import type { IdleTimeout } from "./idle-timeout.js";

/** A request body being sent; remembers a failure of its source, which is not the server's. */
export class UploadBody {
  sourceError: unknown;

  constructor(private readonly idle: IdleTimeout) {}

  init(content: Content): RequestInit {
    if (content instanceof Uint8Array) return { body: content };
    const reader = content.getReader();
    this.idle.beginBody();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        // The source's time does not count against the server.
        this.idle.stop();
        try {
          const { done, value } = await reader.read();
          this.idle.resume();
          if (done) {
            this.idle.sent();
            controller.close();
          } else {
            this.idle.add(value.length);
            controller.enqueue(value);
          }
        } catch (cause) {
          this.sourceError = cause;
          controller.error(cause);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return { body, duplex: "half" };
  }
}
