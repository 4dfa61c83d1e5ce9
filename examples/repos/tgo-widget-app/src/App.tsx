import { useState, type FormEvent } from "react";

import { ask } from "./agent";
import { config } from "./config";

interface Line {
  readonly by: "visitor" | "agent" | "trouble";
  readonly text: string;
}

export function App() {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [draft, setDraft] = useState("");
  const [waiting, setWaiting] = useState(false);

  const add = (line: Line) => setLines((before) => [...before, line]);

  async function send(event: FormEvent) {
    event.preventDefault();
    const text = draft.trim();
    if (text === "") return;
    setDraft("");
    setWaiting(true);
    add({ by: "visitor", text });
    try {
      add({ by: "agent", text: await ask(text) });
    } catch (error) {
      add({ by: "trouble", text: error instanceof Error ? error.message : String(error) });
    } finally {
      setWaiting(false);
    }
  }

  return (
    <main>
      <header>
        <h1>Chat</h1>
        <button
          type="button"
          aria-label="Close"
          onClick={() => window.parent.postMessage("tgo-widget:close", "*")}
        >
          ×
        </button>
      </header>
      <ol aria-live="polite">
        {lines.map(({ by, text }, index) => (
          <li key={index} className={by}>
            {text}
          </li>
        ))}
      </ol>
      <form onSubmit={(event) => void send(event)}>
        <input
          aria-label="Your message"
          autoFocus
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
        />
        <button type="submit" disabled={waiting}>
          {waiting ? "…" : "Send"}
        </button>
      </form>
      <footer>widget {config.version}</footer>
    </main>
  );
}
